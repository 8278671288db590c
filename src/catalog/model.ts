/** Name of a relation, function or type with its schema. */
export type QualifiedName = { readonly schema: string; readonly name: string };

/** A column as clients may address it. */
export type Column = {
  readonly name: string;
  readonly description: string | null;
  readonly nullable: boolean;
  /** Type for documents: domains over system types appear as their base type, without length. */
  readonly type: string;
  /** Type as declared, quoted and schema-qualified by the server: fit for a cast. */
  readonly nominalType: string;
  readonly maxLength: number | null;
  /** Default expression as SQL text; `nextval('seq')` for identity columns. */
  readonly defaultValue: string | null;
  readonly enumValues: readonly string[];
  readonly identity: 'always' | 'by default' | null;
  readonly isGenerated: boolean;
};

/** A table, view, materialized view, foreign or partitioned table of an exposed schema. */
export type Table = QualifiedName & {
  readonly description: string | null;
  readonly isView: boolean;
  /** What the relation itself can take, whatever the caller's privileges. */
  readonly insertable: boolean;
  readonly updatable: boolean;
  readonly deletable: boolean;
  /** Sorted by name; a view has the key of the table under it when it selects all its columns. */
  readonly primaryKeyColumns: readonly string[];
  /** In order of their position. */
  readonly columns: ReadonlyMap<string, Column>;
};

/** A column of the relationship's table and the column that it meets on the other side. */
export type ColumnPair = readonly [own: string, foreign: string];

type RelationshipEnds = {
  readonly table: QualifiedName;
  readonly foreignTable: QualifiedName;
  readonly isSelf: boolean;
};

/** The table of a many-to-many relationship that holds both foreign keys, as part of its primary key. */
type Junction = QualifiedName & {
  readonly sourceConstraint: string;
  readonly targetConstraint: string;
  /** Columns of the relationship's table with those of the junction. */
  readonly sourceColumns: readonly ColumnPair[];
  /** Columns of the foreign table with those of the junction. */
  readonly targetColumns: readonly ColumnPair[];
};

/** A relationship by a foreign key, seen from either end. */
export type KeyRelationship = RelationshipEnds & {
  readonly kind: 'many-to-one' | 'one-to-one' | 'one-to-many';
  readonly constraint: string;
  readonly columns: readonly ColumnPair[];
  /** One-to-one only: the foreign key lies in the foreign table. */
  readonly isParent: boolean;
  readonly tableIsView: boolean;
  readonly foreignTableIsView: boolean;
};

/** A relationship through a junction table. */
export type JunctionRelationship = RelationshipEnds & {
  readonly kind: 'many-to-many';
  readonly junction: Junction;
  readonly tableIsView: boolean;
  readonly foreignTableIsView: boolean;
};

/** A relationship by a function that takes a row of the table and returns rows of the foreign table. */
export type ComputedRelationship = RelationshipEnds & {
  readonly kind: 'computed';
  readonly function: QualifiedName;
  readonly isToOne: boolean;
};

/** A way from one relation to another. */
export type Relationship = KeyRelationship | JunctionRelationship | ComputedRelationship;

/** Whether one row of the table meets at most one row of the foreign table. */
export const isToOne = (relationship: Relationship): boolean =>
  relationship.kind === 'many-to-one' ||
  relationship.kind === 'one-to-one' ||
  (relationship.kind === 'computed' && relationship.isToOne);

/** An input parameter of a function; unnamed ones have an empty name. */
export type RoutineParameter = {
  readonly name: string;
  /** Type as the server prints it: fit for a cast. */
  readonly type: string;
  /** The type with its greatest length: `character` would cut its values to one character. */
  readonly unboundedType: string;
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
};

/** What a function returns. */
type ReturnType = {
  readonly isSet: boolean;
  /** A row type; functions with OUT, INOUT or TABLE parameters have one too. */
  readonly isComposite: boolean;
  /** A domain over a composite type. */
  readonly isCompositeAlias: boolean;
  /** Base type; of a row type, the relation that it belongs to. */
  readonly type: QualifiedName;
};

/** Isolation levels that a function may ask for with `set default_transaction_isolation`. */
export type RoutineIsolation = 'read committed' | 'repeatable read' | 'serializable';

/** A function of an exposed schema. */
export type Routine = QualifiedName & {
  /** The function's oid: overloads share their name. */
  readonly id: number;
  readonly description: string | null;
  readonly parameters: readonly RoutineParameter[];
  readonly returnType: ReturnType;
  readonly volatility: 'volatile' | 'stable' | 'immutable';
  readonly hasVariadic: boolean;
  readonly isolation: RoutineIsolation | null;
  /** Settings of the function that hold for the whole transaction (`db-hoisted-tx-settings`). */
  readonly settings: readonly (readonly [name: string, value: string])[];
};

/** Whether the function returns nothing. */
export const returnsVoid = ({ returnType }: Routine): boolean =>
  !returnType.isSet &&
  !returnType.isComposite &&
  returnType.type.schema === 'pg_catalog' &&
  returnType.type.name === 'void';

/** A function or aggregate that renders a media type; its target is null when it takes any row type. */
export type MediaHandler = {
  readonly function: QualifiedName;
  readonly target: QualifiedName | null;
  /** Type under the domain that is named like the media type. */
  readonly baseType: string;
  /** Media type of the answer; for a wildcard handler `application/octet-stream` unless the handler sets its own. */
  readonly mediaType: string;
};

/** Everything that planning needs to know about a database: an immutable snapshot with its indexes. */
export interface Catalog {
  /** Hash of the snapshot's source: equal fingerprints, equal snapshots. */
  readonly fingerprint: string;
  readonly serverVersion: number;
  /** Names that `Prefer: timezone` may carry. */
  readonly timezones: ReadonlySet<string>;
  table(schema: string, name: string): Table | undefined;
  /** Tables of a schema, ordered by name. */
  tables(schema: string): readonly Table[];
  /**
   * Relationships from a relation of the schema to relations of the same schema, in upstream's order;
   * undefined when the relation has none at all, empty when all of its own are hidden.
   */
  relationships(schema: string, table: string): readonly Relationship[] | undefined;
  /** Names of the relations that have relationships into the schema. */
  relationshipSources(schema: string): readonly string[];
  /** Overloads of a function, fewest parameters first; empty when there is no such function. */
  routines(schema: string, name: string): readonly Routine[];
  /** Functions of a schema, overloads together. */
  routinesOf(schema: string): readonly (readonly Routine[])[];
  /** Function of the implicit cast from a type to another where one side is a domain (`json` and `text` are the other). */
  representation(sourceType: string, targetType: string): QualifiedName | undefined;
  /** False when there is no representation at all: a cheap guard of `representation`. */
  readonly hasRepresentations: boolean;
  /** Custom handler for a relation or function (null: any row type) and a media type in lower case. */
  mediaHandler(target: QualifiedName | null, mediaType: string): MediaHandler | undefined;
  /** Closest name of a table of the schema, for hints; null when none is close, or the schema is very large. */
  closestTable(schema: string, name: string): string | null;
  /** Closest name of a function of the schema, for hints. */
  closestRoutine(schema: string, name: string): string | null;
  /** Numbers of what the snapshot holds, for the log. */
  readonly counts: CatalogCounts;
}

/** Size of a snapshot. */
type CatalogCounts = {
  readonly relations: number;
  readonly relationships: number;
  readonly routines: number;
  readonly representations: number;
  readonly mediaHandlers: number;
  readonly timezones: number;
};
