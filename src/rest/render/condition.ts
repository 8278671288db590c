import type { QualifiedName } from '../../catalog/model.ts';
import { assertNever } from '../../core/result.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type {
  IsOperand,
  Operation,
  QuantifiedOperator,
  SearchOperator,
  SimpleOperator,
} from '../parse/model.ts';
import type { FieldPlan, JoinCondition, LogicPlan, ReadPlan } from '../plan/model.ts';
import { column, comparedField, ident, languageArgument, unaryCall } from './field.ts';

const simpleOperators: Readonly<Record<SimpleOperator, Sql>> = {
  neq: sql`<>`,
  cs: sql`@>`,
  cd: sql`<@`,
  ov: sql`&&`,
  sl: sql`<<`,
  sr: sql`>>`,
  nxr: sql`&<`,
  nxl: sql`&>`,
  adj: sql`-|-`,
};

const quantifiedOperators: Readonly<Record<QuantifiedOperator, Sql>> = {
  eq: sql`=`,
  gte: sql`>=`,
  gt: sql`>`,
  lte: sql`<=`,
  lt: sql`<`,
  like: sql`like`,
  ilike: sql`ilike`,
  match: sql`~`,
  imatch: sql`~*`,
};

const searchFunctions: Readonly<Record<SearchOperator, Sql>> = {
  fts: sql`to_tsquery`,
  plfts: sql`plainto_tsquery`,
  phfts: sql`phraseto_tsquery`,
  wfts: sql`websearch_to_tsquery`,
};

/** Operands of IS are keywords: they cannot be bound. */
const isOperands: Readonly<Record<IsOperand, Sql>> = {
  null: sql`NULL`,
  not_null: sql`NOT NULL`,
  true: sql`TRUE`,
  false: sql`FALSE`,
  unknown: sql`UNKNOWN`,
};

/** An array literal: the server infers the type of its elements from what they are compared with. */
function arrayLiteral(values: readonly string[]): string {
  const items = values.map((value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
  return `{${items.join(',')}}`;
}

const fromText = (value: Sql, { transform }: FieldPlan): Sql =>
  transform === null ? value : unaryCall(transform, value);

function anyOf(values: readonly string[], { transform }: FieldPlan): Sql {
  if (values.length === 1 && values[0] === '') return sql` = ANY('{}')`;
  const literal = arrayLiteral(values);
  return transform === null
    ? sql` = ANY (${literal})`
    : sql` = ANY ((SELECT ${unaryCall(transform, sql`unnest(${literal}::text[])`)}))`;
}

const quantifiedValue = (value: Sql, quantifier: 'any' | 'all' | null): Sql => {
  if (quantifier === null) return value;
  return quantifier === 'any' ? sql`ANY(${value})` : sql`ALL(${value})`;
};

/** `*` stands for `%`, which would have to be percent-encoded in a URL. */
const isPattern = (operator: QuantifiedOperator): boolean => operator === 'like' || operator === 'ilike';

function comparison(operation: Operation, field: FieldPlan): Sql {
  switch (operation.kind) {
    case 'simple':
      return sql` ${simpleOperators[operation.operator]} ${fromText(sql`${operation.value}`, field)}`;
    case 'quantified': {
      const { operator, quantifier, value } = operation;
      const compared = isPattern(operator)
        ? sql`${value.replaceAll('*', '%')}`
        : fromText(sql`${value}`, field);
      return sql` ${quantifiedOperators[operator]} ${quantifiedValue(compared, quantifier)}`;
    }
    case 'in':
      return anyOf(operation.values, field);
    case 'is':
      return sql` IS ${isOperands[operation.operand]}`;
    case 'isdistinct':
      return sql` IS DISTINCT FROM ${operation.value}`;
    case 'search':
      return sql` @@ ${searchFunctions[operation.operator]}(${languageArgument(operation.language)}${operation.value})`;
    default:
      return assertNever(operation);
  }
}

/** How a test of an embed is written: by its join in a read, by EXISTS where nothing is joined. */
export type EmbedTest = (embed: {
  readonly isNull: boolean;
  readonly alias: string;
  readonly child: ReadPlan;
}) => Sql;

/** By the alias of the embed's join, which has no row where the embed found nothing. */
export const joinedEmbedTest: EmbedTest = ({ isNull, alias }) =>
  isNull ? sql`${ident(alias)} IS NOT DISTINCT FROM NULL` : sql`${ident(alias)} IS DISTINCT FROM NULL`;

/** A condition on a relation. */
export function condition(table: QualifiedName, tree: LogicPlan, embedTest: EmbedTest): Sql {
  switch (tree.kind) {
    case 'filter': {
      const test = sql`${comparedField(table, tree.field)}${comparison(tree.operation, tree.field)}`;
      return tree.negated ? sql`NOT ${test}` : test;
    }
    case 'embed':
      return embedTest(tree);
    case 'group': {
      const trees = tree.trees.map((inner) => condition(table, inner, embedTest));
      const joined = sql.join(trees, tree.operator === 'and' ? ' and ' : ' or ');
      return tree.negated ? sql`NOT (${joined})` : sql`(${joined})`;
    }
    default:
      return assertNever(tree);
  }
}

const joinCondition = ({ left, right }: JoinCondition): Sql =>
  sql`${column(left.table, left.column)} = ${column(right.table, right.column)}`;

/** ` WHERE ...` of conditions on a relation and of its joins with its parent, or nothing. */
export function where(conditions: readonly Sql[], joins: readonly JoinCondition[]): Sql {
  const all = joins.length === 0 ? conditions : [...conditions, ...joins.map(joinCondition)];
  return all.length === 0 ? sql.empty : sql` WHERE ${sql.join(all, ' and ')}`;
}
