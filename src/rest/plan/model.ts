import type { QualifiedName, Relationship, Routine, RoutineParameter, Table } from '../../catalog/model.ts';
import type { CallMethod, Mutation } from '../parse/api-request.ts';
import type { MediaType } from '../parse/media-type.ts';
import type { AggregateFunction, Condition, FieldReference, JoinType, JsonStep } from '../parse/model.ts';
import type { Body } from '../parse/payload.ts';
import type { RowRange } from '../parse/row-range.ts';

/** A field with everything that is needed to write it as SQL. */
export type FieldPlan = {
  readonly name: string;
  readonly path: readonly JsonStep[];
  /** Whether arrows need `to_jsonb` around the column: it is not JSON, or not known to be. */
  readonly needsToJson: boolean;
  /** Whether a full-text operator has to make a `tsvector` of the column, and in which language. */
  readonly searchVector: { readonly language: string | null } | null;
  /** Declared type; empty when it is not known. */
  readonly type: string;
  /** Function that turns the column into JSON, or a text or JSON value into the column's type. */
  readonly transform: QualifiedName | null;
  /** Stands for the row as a whole, so that counting it leaves out rows that a join did not find. */
  readonly isWholeRow: boolean;
};

/** An item of a select list. */
export type SelectPlan = {
  readonly field: FieldPlan;
  readonly aggregate: AggregateFunction | null;
  readonly aggregateCast: string | null;
  readonly cast: string | null;
  readonly alias: string | null;
};

/** A condition, or conditions joined. */
export type LogicPlan =
  | (Condition & { readonly kind: 'filter'; readonly field: FieldPlan })
  /** Whether the embed of that alias found nothing (negated: something). */
  | { readonly kind: 'embed'; readonly isNull: boolean; readonly alias: string; readonly child: ReadPlan }
  | {
      readonly kind: 'group';
      readonly negated: boolean;
      readonly operator: 'and' | 'or';
      readonly trees: readonly LogicPlan[];
    };

/** A term of ORDER BY; `qualifier` is the alias of an embed, or null for the relation itself. */
export type OrderPlan = {
  readonly qualifier: string | null;
  readonly field: FieldPlan;
  readonly direction: 'asc' | 'desc' | null;
  readonly nulls: 'first' | 'last' | null;
};

/** Two columns that have to be equal. */
export type JoinCondition = {
  readonly left: { readonly table: QualifiedName; readonly column: string };
  readonly right: { readonly table: QualifiedName; readonly column: string };
};

/** What rows are read from. */
type Source =
  | { readonly kind: 'relation'; readonly name: QualifiedName; readonly junction: QualifiedName | null }
  /** A function of the parent's row, which is cast since its type tells overloads apart. */
  | {
      readonly kind: 'computed';
      readonly function: QualifiedName;
      readonly argument: string;
      readonly argumentType: QualifiedName;
    };

/** A column that a spread embed hands to its parent, perhaps with an aggregate that was lifted out of it. */
export type SpreadColumn = {
  readonly name: string;
  readonly aggregate: AggregateFunction | null;
  readonly aggregateCast: string | null;
  readonly alias: string | null;
};

/** How an embed appears in its parent. */
export type EmbedPlan =
  | {
      readonly kind: 'object' | 'array';
      readonly name: string;
      /** Selects nothing, and so is not part of the result; it may still filter. */
      readonly isEmpty: boolean;
      readonly child: ReadPlan;
    }
  | { readonly kind: 'spread'; readonly columns: readonly SpreadColumn[]; readonly child: ReadPlan };

/** Columns that the rows of a spread list are ordered by, selected under names of their own. */
export type SpreadOrder = {
  readonly select: readonly { readonly qualifier: string | null; readonly item: SelectPlan }[];
  readonly order: readonly OrderPlan[];
};

/** One relation of a read with its embeds below it: all names resolved, all joins decided. */
export type ReadPlan = {
  readonly select: readonly SelectPlan[];
  /** Name of the relation as it stands in the schema, or of the statement's own source. */
  readonly from: QualifiedName;
  readonly fromAlias: string | null;
  readonly source: Source;
  /** What columns are written after: the alias, or the relation's own name. */
  readonly qualifier: QualifiedName;
  readonly where: readonly LogicPlan[];
  readonly order: readonly OrderPlan[];
  readonly range: RowRange;
  readonly joinConditions: readonly JoinCondition[];
  readonly name: string;
  readonly alias: string | null;
  readonly hint: string | null;
  readonly join: JoinType;
  /** Alias of the lateral join in the parent. */
  readonly embedAlias: string;
  readonly spread: 'to-one' | 'to-many' | null;
  readonly spreadOrder: SpreadOrder;
  readonly relationship: Relationship | null;
  readonly embeds: readonly EmbedPlan[];
  readonly children: readonly ReadPlan[];
  /** Whether everything but `where`, `order` and `range` is that of all plans with these same `embeds`. */
  readonly isShape: boolean;
};

/** How rows become the text of the answer. */
export type HandlerPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'array' | 'single'; readonly stripsNulls: boolean }
  | { readonly kind: 'csv' | 'geojson' }
  | {
      readonly kind: 'custom';
      readonly function: QualifiedName;
      readonly target: QualifiedName | null;
      /** Type of the result, which decides how its text becomes the answer's bytes. */
      readonly baseType: string;
    };

/** A column that a JSON body fills. */
export type BodyColumn = {
  readonly name: string;
  readonly type: string;
  readonly transform: QualifiedName | null;
  readonly defaultValue: string | null;
};

/** JSON that fills columns. */
export type BodyPlan = {
  readonly json: Body | null;
  readonly isObject: boolean;
  readonly columns: readonly BodyColumn[];
  /** Whether members that are missing take the column's default. */
  readonly appliesDefaults: boolean;
};

/** A write to one relation. */
export type MutatePlan =
  | {
      readonly kind: 'insert';
      readonly table: QualifiedName;
      readonly body: BodyPlan;
      readonly conflict: {
        readonly resolution: 'merge-duplicates' | 'ignore-duplicates';
        readonly columns: readonly string[];
      } | null;
      /** What a PUT demands of the row in its body. */
      readonly where: readonly LogicPlan[];
      readonly returning: readonly string[];
      readonly keyColumns: readonly string[];
    }
  | {
      readonly kind: 'update';
      readonly table: QualifiedName;
      readonly body: BodyPlan;
      readonly where: readonly LogicPlan[];
      readonly returning: readonly string[];
    }
  | {
      readonly kind: 'delete';
      readonly table: QualifiedName;
      readonly where: readonly LogicPlan[];
      readonly returning: readonly string[];
    };

/** An argument that came as text; several texts for a variadic parameter. */
export type TextArgument = string | readonly string[];

/** Where a call's arguments come from. */
export type CallArguments =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'text';
      readonly parameters: readonly RoutineParameter[];
      readonly values: ReadonlyMap<string, TextArgument>;
    }
  | { readonly kind: 'json'; readonly parameters: readonly RoutineParameter[]; readonly body: BodyPlan }
  /** The one parameter that has no name takes the body as it is. */
  | { readonly kind: 'whole'; readonly parameter: RoutineParameter; readonly body: Body | null };

/** A call of a function. */
export type CallPlan = {
  readonly routine: QualifiedName;
  readonly arguments: CallArguments;
  /** Returns one or many values that are no rows. */
  readonly isScalar: boolean;
  /** Columns of the result that the read above needs; `*` alone, or none, for all. */
  readonly returning: readonly string[];
};

/** What a request will do, fully decided. */
export type ActionPlan =
  | {
      readonly kind: 'read';
      readonly read: ReadPlan;
      readonly handler: HandlerPlan;
      readonly mediaType: MediaType;
      readonly headersOnly: boolean;
      readonly relation: QualifiedName;
    }
  | {
      readonly kind: 'mutate';
      readonly read: ReadPlan;
      readonly mutate: MutatePlan;
      readonly mutation: Mutation;
      readonly handler: HandlerPlan;
      readonly mediaType: MediaType;
      readonly relation: QualifiedName;
    }
  | {
      readonly kind: 'call';
      readonly read: ReadPlan;
      readonly call: CallPlan;
      readonly routine: Routine;
      readonly method: CallMethod;
      readonly isReadOnly: boolean;
      readonly handler: HandlerPlan;
      readonly mediaType: MediaType;
    }
  | {
      readonly kind: 'inspect';
      readonly schema: string;
      readonly headersOnly: boolean;
    }
  | { readonly kind: 'relation-info'; readonly table: Table }
  | { readonly kind: 'routine-info'; readonly routine: Routine }
  | { readonly kind: 'root-info' };

/** Plans that run a statement and answer with its rows. */
export type RowsPlan = Extract<ActionPlan, { readonly kind: 'read' | 'mutate' | 'call' }>;

/** A reference that nothing is known about. */
export const unknownField = ({ name, path }: FieldReference): FieldPlan => ({
  name,
  path,
  needsToJson: false,
  searchVector: null,
  type: '',
  transform: null,
  isWholeRow: false,
});
