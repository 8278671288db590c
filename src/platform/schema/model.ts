/** Kinds of objects that are compared, in the order in which they are made where nothing else decides. */
export const kinds = [
  'schema',
  'extension',
  'type',
  'sequence',
  'function',
  'table',
  'sequence owner',
  'constraint',
  'index',
  'view',
  'trigger',
  'policy',
  'publication table',
] as const;

/** One of them. */
export type Kind = (typeof kinds)[number];

/** A right on an object: who may do what, in the words of GRANT. */
export type Grant = {
  /** Quoted, or PUBLIC. */
  readonly role: string;
  readonly privilege: string;
  /** Quoted column, for a right on a column alone. */
  readonly column: string | null;
  readonly grantable: boolean;
};

/** A column of a table, in the words of CREATE TABLE. */
export type Column = {
  /** Quoted. */
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly identity: 'always' | 'by default' | null;
  /** Expression of a generated column. */
  readonly generated: string | null;
};

/** What a table has beside its columns. */
export type TableFacts = {
  readonly columns: readonly Column[];
  readonly unlogged: boolean;
  /** `PARTITION BY ...` of a partitioned table. */
  readonly partitionBy: string | null;
  /** `PARTITION OF parent FOR VALUES ...`. */
  readonly partitionOf: string | null;
  /** Quoted parents of plain inheritance. */
  readonly inherits: readonly string[];
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly replicaIdentity: 'default' | 'full' | 'nothing' | 'index';
};

/** One object of a database. */
export type SchemaObject = {
  /** Identity within one reading: catalog and oid. */
  readonly key: string;
  readonly kind: Kind;
  /** Quoted, as ALTER, DROP and COMMENT name it; the same in both databases. */
  readonly name: string;
  /** What COMMENT and GRANT call it: `TABLE`, `MATERIALIZED VIEW`, ... */
  readonly noun: string;
  /** The statement that makes it; null for tables, which are written from their facts. */
  readonly create: string | null;
  readonly drop: string;
  /** The table that it goes away with. */
  readonly parent: string | null;
  /** What must be the same for CREATE OR REPLACE to do; null where there is no such statement. */
  readonly shape: readonly string[] | null;
  readonly comment: string | null;
  readonly grants: readonly Grant[];
  /** Rights that it has when it is made in this database, by default privileges. */
  readonly born: readonly Grant[];
  readonly table: TableFacts | null;
  /** Labels of an enum. */
  readonly labels: readonly string[] | null;
};

/** Everything that was read of one database. */
export type Snapshot = {
  /** As `server_version_num` has it. */
  readonly serverVersion: number;
  readonly objects: readonly SchemaObject[];
  /** `[dependent, needed]` by keys, as pg_depend has them. */
  readonly dependencies: readonly (readonly [string, string])[];
  /** `[part, whole]`: a row type belongs to its table, an index to its constraint. */
  readonly parts: readonly (readonly [string, string])[];
  /** How many objects there are of kinds that are not compared. */
  readonly uncovered: Readonly<Record<string, number>>;
};

/** A database without anything of a project. */
export const emptySnapshot: Snapshot = {
  serverVersion: Number.POSITIVE_INFINITY,
  objects: [],
  dependencies: [],
  parts: [],
  uncovered: {},
};
