/** What the generator reads of a database; names and ids are the server's own. */
export type Introspection = {
  /** The schemas to describe, by name. */
  readonly schemas: readonly string[];
  readonly relations: readonly Relation[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly routines: readonly Routine[];
  readonly types: readonly PgType[];
};

export type RelationKind = 'table' | 'foreign table' | 'view' | 'materialized view';

export type Relation = {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  readonly isUpdatable: boolean;
  readonly columns: readonly Column[];
};

export type Column = {
  readonly name: string;
  /** Name of the type; of a domain, that of the type below it. */
  readonly type: string;
  readonly isNullable: boolean;
  readonly isIdentity: boolean;
  readonly isAlwaysIdentity: boolean;
  readonly hasDefault: boolean;
  readonly isUpdatable: boolean;
};

export type ForeignKey = {
  readonly id: number;
  readonly name: string;
  readonly schema: string;
  readonly relation: string;
  readonly columns: readonly string[];
  readonly referencedSchema: string;
  readonly referencedRelation: string;
  readonly referencedColumns: readonly string[];
  readonly isOneToOne: boolean;
};

export type ParameterMode = 'in' | 'out' | 'inout' | 'variadic' | 'table';

export type Parameter = {
  readonly name: string;
  readonly mode: ParameterMode;
  readonly typeId: number;
  readonly hasDefault: boolean | null;
};

export type Routine = {
  readonly schema: string;
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** The parameters as the server prints them. */
  readonly argumentTypes: string;
  readonly returnType: string;
  readonly returnTypeId: number;
  readonly returnRelationId: number | null;
  readonly isSet: boolean;
  /** Estimated rows of a set; null otherwise. */
  readonly rows: number | null;
};

export type PgType = {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly format: string;
  readonly labels: readonly string[];
  readonly attributes: readonly { readonly name: string; readonly typeId: number }[];
  readonly relationId: number | null;
};
