import type { QualifiedName } from '../../catalog/model.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { AggregateFunction, JsonStep } from '../parse/model.ts';
import type { FieldPlan, OrderPlan, SelectPlan, SpreadColumn } from '../plan/model.ts';

/** An identifier. What follows a NUL is cut off, as upstream does: no name in the database can contain one. */
export const ident = (name: string): Sql => {
  const nul = name.indexOf('\0');
  return sql.ident(nul < 0 ? name : name.slice(0, nul));
};

/** A relation or function with its schema; without a schema it is an alias or a name of the statement's own. */
export const qualified = ({ schema, name }: QualifiedName): Sql =>
  schema === '' ? ident(name) : sql`${ident(schema)}.${ident(name)}`;

/** A column, or `*`, of a relation. */
export const column = (table: QualifiedName, name: string): Sql =>
  name === '*' ? sql`${qualified(table)}.*` : sql`${qualified(table)}.${ident(name)}`;

/** A call of a function with one argument. */
export const unaryCall = (name: QualifiedName, argument: Sql): Sql => sql`${qualified(name)}(${argument})`;

const step = ({ arrow, kind, text }: JsonStep): Sql => {
  const operand = kind === 'key' ? sql`${text}` : sql`${text}::int`;
  return arrow === '->' ? sql`->${operand}` : sql`->>${operand}`;
};

/** A column with its JSON path, or its row as a whole. */
export function fieldValue(table: QualifiedName, field: FieldPlan): Sql {
  if (field.isWholeRow) return ident(table.name);
  const plain = column(table, field.name);
  if (field.path.length === 0) return plain;
  const path = sql.join(field.path.map(step), '');
  return field.needsToJson ? sql`to_jsonb(${plain})${path}` : sql`${plain}${path}`;
}

/** `'language', ` before the text of a full-text function; nothing for the default language. */
export const languageArgument = (language: string | null): Sql =>
  language === null ? sql.empty : sql`${language}, `;

/** A field as a condition compares it. */
export function comparedField(table: QualifiedName, field: FieldPlan): Sql {
  const value = fieldValue(table, field);
  if (field.searchVector === null) return value;
  return sql`to_tsvector(${languageArgument(field.searchVector.language)}${value})`;
}

const cast = (value: Sql, type: string | null): Sql =>
  type === null ? value : sql`CAST( ${value} AS ${sql.typeName(type)} )`;

const aggregateCalls: Readonly<Record<AggregateFunction, (value: Sql) => Sql>> = {
  sum: (value) => sql`SUM(${value})`,
  avg: (value) => sql`AVG(${value})`,
  count: (value) => sql`COUNT(${value})`,
  max: (value) => sql`MAX(${value})`,
  min: (value) => sql`MIN(${value})`,
};

const aggregated = (value: Sql, aggregate: AggregateFunction | null, type: string | null): Sql =>
  aggregate === null ? value : cast(aggregateCalls[aggregate](value), type);

/** ` AS alias`, or nothing. */
export const as = (alias: string | null): Sql => (alias === null ? sql.empty : sql` AS ${ident(alias)}`);

/** An item of a select list. */
export function selectItem(table: QualifiedName, item: SelectPlan): Sql {
  const value = fieldValue(table, item.field);
  const shown = item.field.transform === null ? value : unaryCall(item.field.transform, value);
  return sql`${aggregated(cast(shown, item.cast), item.aggregate, item.aggregateCast)}${as(item.alias)}`;
}

/** A column of an embed's join. */
export const embedColumn = (alias: string, name: string): Sql => column({ schema: '', name: alias }, name);

/** A column that a spread embed hands on. */
export const spreadItem = (embedAlias: string, spread: SpreadColumn): Sql => {
  const value = aggregated(embedColumn(embedAlias, spread.name), spread.aggregate, spread.aggregateCast);
  return sql`${value}${as(spread.alias)}`;
};

const directions = { asc: sql` ASC`, desc: sql` DESC` } as const;
const nullOrders = { first: sql` NULLS FIRST`, last: sql` NULLS LAST` } as const;

function orderTerm(table: QualifiedName, { qualifier, field, direction, nulls }: OrderPlan): Sql {
  const from = qualifier === null ? table : { schema: '', name: qualifier };
  const way = direction === null ? sql.empty : directions[direction];
  return sql`${fieldValue(from, field)}${way}${nulls === null ? sql.empty : nullOrders[nulls]}`;
}

/** ` ORDER BY ...`, or nothing. */
export const orderBy = (table: QualifiedName, terms: readonly OrderPlan[]): Sql =>
  terms.length === 0 ? sql.empty : sql` ORDER BY ${sql.join(terms.map((term) => orderTerm(table, term)))}`;
