import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { Filter, FilterOp } from './filter.ts';
import type { TypeInfo } from './model.ts';

/** Settings under which values are read and printed, the same as those of the stream. */
export const printSettings = [
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO, MDY'],
  ['IntervalStyle', 'postgres'],
  ['extra_float_digits', '1'],
  ['bytea_output', 'hex'],
] as const;

/** A type's name in SQL. */
export const typeName = ({ schema, name }: TypeInfo): Sql => sql.ident(schema, name);

const operators: Readonly<Record<Exclude<FilterOp, 'is' | 'in' | 'isdistinct'>, Sql>> = {
  eq: sql`=`,
  neq: sql`<>`,
  lt: sql`<`,
  lte: sql`<=`,
  gt: sql`>`,
  gte: sql`>=`,
  like: sql`like`,
  ilike: sql`ilike`,
  match: sql`~`,
  imatch: sql`~*`,
};

const keywords: Readonly<Record<string, Sql>> = {
  null: sql`is null`,
  true: sql`is true`,
  false: sql`is false`,
  unknown: sql`is unknown`,
};

const byteaOid = 17;

/** A filter as a condition on a value of the column's type. */
export function condition(value: Sql, { op, value: wanted, negate }: Filter, type: TypeInfo): Sql {
  const plain = plainCondition(value, op, wanted, type);
  return negate ? sql`not (${plain})` : plain;
}

function plainCondition(value: Sql, op: FilterOp, wanted: string, type: TypeInfo): Sql {
  switch (op) {
    case 'is':
      return sql`${value} ${keywords[wanted] ?? sql`is null`}`;
    case 'in':
      return sql`${value} = any(${wanted}::${typeName(type)}[])`;
    case 'isdistinct':
      return sql`${value} is distinct from ${wanted}::${typeName(type)}`;
    case 'like':
    case 'ilike':
    case 'match':
    case 'imatch':
      // Patterns are text, but for bytes.
      return sql`${value} ${operators[op]} ${wanted}::${type.oid === byteaOid ? typeName(type) : sql`text`}`;
    default:
      return sql`${value} ${operators[op]} ${wanted}::${typeName(type)}`;
  }
}
