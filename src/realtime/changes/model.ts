/** What a value of a type looks like as JSON. */
export type TypeShape =
  | { readonly kind: 'scalar' }
  /** Printed by a cast to json that somebody has made for the type. */
  | { readonly kind: 'cast' }
  | { readonly kind: 'array'; readonly element: TypeInfo; readonly delimiter: string }
  | { readonly kind: 'composite'; readonly attributes: readonly { name: string; type: TypeInfo }[] }
  | { readonly kind: 'domain'; readonly base: TypeInfo };

/** A type of the database. */
export type TypeInfo = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly shape: TypeShape;
};

/** A column of a relation. */
export type ColumnInfo = { readonly name: string; readonly type: TypeInfo; readonly isPrimaryKey: boolean };

/** What a role may do with a relation. */
export type RoleAccess = {
  readonly columns: ReadonlySet<string>;
  /** Whether row security does not hold for the role. */
  readonly bypassesRowSecurity: boolean;
  /** What the policies let the role see, as a condition in the server's print on a row by the table's name. */
  readonly policy: string;
};

/** A relation as the catalog described it after its last change of shape, rights or policies. */
export type RelationInfo = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ColumnInfo[];
  readonly columnByName: ReadonlyMap<string, ColumnInfo>;
  readonly primaryKey: readonly ColumnInfo[];
  readonly hasRowSecurity: boolean;
  /** Whether clients may subscribe to it. */
  readonly isPublished: boolean;
  /** Whether it is `realtime.messages` or one of its partitions. */
  readonly isMessages: boolean;
};

/** Kinds of changes. */
export type ChangeKind = 'INSERT' | 'UPDATE' | 'DELETE';

/** Values as the server printed them; a column that is absent is unknown (unchanged and stored out of line). */
export type RowValues = ReadonlyMap<string, string | null>;

/** One committed change of one row. */
export type Change = {
  readonly relation: RelationInfo;
  readonly kind: ChangeKind;
  /** The row after the change; null for DELETE. */
  readonly row: RowValues | null;
  /** The identity of the row before the change; null for INSERT. */
  readonly old: RowValues | null;
  readonly commitLsn: bigint;
  /** Position of the change in its transaction. */
  readonly index: number;
  /** Microseconds since the epoch. */
  readonly committedAt: bigint;
  readonly xid: number;
  /** Size of the values as text. */
  readonly bytes: number;
};
