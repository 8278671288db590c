/** One arrow of a JSON path. An index keeps its sign and travels as text. */
export type JsonStep = {
  readonly arrow: '->' | '->>';
  readonly kind: 'key' | 'index';
  readonly text: string;
};

/** A column, or a place inside a JSON column. */
export type FieldReference = { readonly name: string; readonly path: readonly JsonStep[] };

/** Aggregate functions that a select may call. */
export type AggregateFunction = 'sum' | 'avg' | 'count' | 'max' | 'min';

/** How an embed joins its parent; null for the default, a left join. */
export type JoinType = 'inner' | 'left' | null;

/** `alias:field::cast.aggregate()::cast` */
export type SelectField = {
  readonly kind: 'field';
  readonly field: FieldReference;
  readonly aggregate: AggregateFunction | null;
  readonly aggregateCast: string | null;
  readonly cast: string | null;
  readonly alias: string | null;
};

/** `alias:relation!hint!inner(...)`, or `...relation(...)` when it is spread into its parent. */
export type SelectRelation = {
  readonly kind: 'relation';
  readonly isSpread: boolean;
  readonly name: string;
  readonly alias: string | null;
  readonly hint: string | null;
  readonly join: JoinType;
  readonly items: readonly SelectItem[];
};

/** An item of a select list. */
export type SelectItem = SelectField | SelectRelation;

/** Operators that take one value and no quantifier. */
export type SimpleOperator = 'neq' | 'cs' | 'cd' | 'ov' | 'sl' | 'sr' | 'nxr' | 'nxl' | 'adj';

/** Operators that `any` and `all` apply to. */
export type QuantifiedOperator = 'eq' | 'gte' | 'gt' | 'lte' | 'lt' | 'like' | 'ilike' | 'match' | 'imatch';

/** Full-text operators. */
export type SearchOperator = 'fts' | 'plfts' | 'phfts' | 'wfts';

/** Operands of `is`. */
export type IsOperand = 'null' | 'not_null' | 'true' | 'false' | 'unknown';

/** What a filter compares its field with. */
export type Operation =
  | { readonly kind: 'simple'; readonly operator: SimpleOperator; readonly value: string }
  | {
      readonly kind: 'quantified';
      readonly operator: QuantifiedOperator;
      readonly quantifier: 'any' | 'all' | null;
      readonly value: string;
    }
  | { readonly kind: 'in'; readonly values: readonly string[] }
  | { readonly kind: 'is'; readonly operand: IsOperand }
  | { readonly kind: 'isdistinct'; readonly value: string }
  | {
      readonly kind: 'search';
      readonly operator: SearchOperator;
      readonly language: string | null;
      readonly value: string;
    };

/** An operation, negated or not. */
export type Condition = { readonly negated: boolean; readonly operation: Operation };

/** A condition on a field. */
export type Filter = Condition & { readonly kind: 'filter'; readonly field: FieldReference };

/** Filters joined by `and`, `or` and `not`. */
export type LogicTree =
  | Filter
  | {
      readonly kind: 'group';
      readonly negated: boolean;
      readonly operator: 'and' | 'or';
      readonly trees: readonly LogicTree[];
    };

/** A term of an order list; with a relation it orders by a column of that to-one embed. */
export type OrderTerm = {
  readonly relation: string | null;
  readonly field: FieldReference;
  readonly direction: 'asc' | 'desc' | null;
  readonly nulls: 'first' | 'last' | null;
};

/** Names of the embeds that lead from the top to where a parameter applies; empty at the top. */
export type EmbedPath = readonly string[];

/** A parameter and where it applies. */
export type At<T> = { readonly path: EmbedPath; readonly value: T };
