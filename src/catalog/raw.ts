import type { Column, ColumnPair, QualifiedName, Table } from './model.ts';

/** A relation as the server lists it; `enumValues` and `identity` are still in the server's own terms. */
export type RawTable = Omit<Table, 'columns'> & { readonly columns: readonly RawColumn[] };

/** A column as the server lists it. */
export type RawColumn = Omit<Column, 'enumValues' | 'identity'> & {
  readonly enumValues: readonly string[] | null;
  readonly identity: 'a' | 'd' | '';
};

/** A foreign key with the names and ids of both ends. */
export type RawForeignKey = {
  readonly id: number;
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly tableId: number;
  readonly foreignSchema: string;
  readonly foreignTable: string;
  readonly foreignTableId: number;
  readonly columns: readonly ColumnPair[];
  /** The key's columns are a primary or unique key too. */
  readonly isUnique: boolean;
  /** The key's columns all belong to the table's primary key. */
  readonly isInPrimaryKey: boolean;
};

/** A view with its stored query. */
export type RawView = QualifiedName & {
  readonly id: number;
  /** Column names by number. */
  readonly columns: Readonly<Record<string, string>>;
  /** The rewrite rule's action, as `pg_node_tree` text. */
  readonly definition: string;
};

/** One end of a key of a table that some view selects from. */
export type RawViewKey = {
  readonly constraintId: number;
  readonly kind: 'primary' | 'foreign' | 'referenced';
  readonly tableId: number;
  /** Column numbers, in the constraint's order. */
  readonly columns: readonly number[];
};

/** A function from one row type to another. */
export type RawComputedRelationship = QualifiedName & {
  readonly tableSchema: string;
  readonly table: string;
  readonly foreignSchema: string;
  readonly foreignTable: string;
  readonly isToOne: boolean;
};

/** A function as the server lists it. */
export type RawRoutine = QualifiedName & {
  readonly id: number;
  readonly description: string | null;
  readonly parameters: readonly {
    readonly name: string;
    readonly type: string;
    readonly unboundedType: string;
    readonly isRequired: boolean;
    readonly isVariadic: boolean;
  }[];
  readonly returnSchema: string;
  readonly returnName: string;
  readonly isSet: boolean;
  readonly isComposite: boolean;
  readonly isCompositeAlias: boolean;
  readonly volatility: 'v' | 's' | 'i';
  readonly hasVariadic: boolean;
  /** `name=value` settings of the function. */
  readonly configuration: readonly string[] | null;
  /** Those of them that hold for the whole transaction. */
  readonly hoisted: readonly string[] | null;
};

/** An implicit cast of a domain. */
type RawRepresentation = QualifiedName & { readonly source: string; readonly target: string };

/** A renderer of a media type. */
export type RawMediaHandler = QualifiedName & {
  readonly targetSchema: string;
  readonly target: string;
  readonly mediaType: string;
  readonly baseType: string;
};

/** Everything that the server said, before it is related and indexed. */
export type RawCatalog = {
  readonly server: { readonly version: number; readonly timezones: readonly string[] };
  readonly tables: readonly RawTable[];
  readonly foreignKeys: readonly RawForeignKey[];
  readonly views: readonly RawView[];
  readonly viewKeys: readonly RawViewKey[];
  readonly computedRelationships: readonly RawComputedRelationship[];
  readonly routines: readonly RawRoutine[];
  readonly representations: readonly RawRepresentation[];
  readonly mediaHandlers: readonly RawMediaHandler[];
};
