import { assertNever } from '../../core/result.ts';
import { parseArrayText } from './array-text.ts';
import type { Filter } from './filter.ts';
import type { TypeInfo } from './model.ts';

/** Three-valued logic, and `ask` where only the database can tell. */
export type Truth = boolean | null | 'ask';

/** Orders two values as the server printed them; null where their text does not tell. */
type Order = (left: string, right: string) => number | null;

const byNumber: Order = (left, right) => {
  const [a, b] = [Number(left), Number(right)];
  // The server has NaN equal to itself and above all numbers; those cases are left to it.
  // Not by their distance: infinity has none from itself.
  return Number.isNaN(a) || Number.isNaN(b) ? null : a < b ? -1 : a > b ? 1 : 0;
};

const byInteger: Order = (left, right) => {
  const [a, b] = [BigInt(left), BigInt(right)];
  return a < b ? -1 : a > b ? 1 : 0;
};

const byText: Order = (left, right) => (left < right ? -1 : left > right ? 1 : 0);

/** Plain dates and times of four-digit years sort as text; eras, infinities and long years do not. */
const byIsoText: Order = (left, right) =>
  [left, right].every((text) => /^\d{4}-/.test(text) && !text.endsWith('BC')) ? byText(left, right) : null;

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;

const byDecimal: Order = (left, right) => {
  const [a, b] = [decimal.exec(left), decimal.exec(right)];
  if (a === null || b === null) return null;
  const scale = Math.max(a[3]?.length ?? 0, b[3]?.length ?? 0);
  const scaled = ([, sign = '', whole = '', fraction = '']: string[]): string =>
    `${sign}${whole}${fraction.padEnd(scale, '0')}`;
  return byInteger(scaled(a), scaled(b));
};

const sameText: Order = (left, right) => (left === right ? 0 : null);

/** Orders by object id of the built-in type. Types that are absent go to the database. */
const orders: ReadonlyMap<number, Order> = new Map<number, Order>([
  [16, byText], // bool, printed f and t
  [20, byInteger],
  [21, byInteger],
  [23, byInteger],
  [26, byInteger],
  [701, byNumber],
  [1082, byIsoText], // date
  [1114, byIsoText], // timestamp
  [1184, byIsoText], // timestamptz, printed in UTC
  [1700, byDecimal],
  [2950, byText], // uuid
]);

/** Types whose equality is that of their text, under every deterministic collation. */
const textTypes = new Set([25, 1043]);

const boolOid = 16;

/**
 * Evaluates a filter on a value as the server printed it. The filter's value must be in the server's print too.
 * A null result counts as no match, also under `not.`
 */
export function evaluate(filter: Filter, type: TypeInfo, value: string | null): Truth {
  const truth = evaluatePlain(filter, type, value);
  return truth === 'ask' || truth === null || !filter.negate ? truth : !truth;
}

function evaluatePlain({ op, value: wanted }: Filter, type: TypeInfo, value: string | null): Truth {
  switch (op) {
    case 'is':
      return evaluateIs(wanted, type, value);
    case 'isdistinct':
      return value === null ? true : negated(equals(type, value, wanted));
    case 'in':
      return value === null ? null : evaluateIn(type, value, wanted);
    case 'eq':
      return value === null ? null : equals(type, value, wanted);
    case 'neq':
      return value === null ? null : negated(equals(type, value, wanted));
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return value === null ? null : evaluateOrder(op, type, value, wanted);
    case 'like':
    case 'ilike':
    case 'match':
    case 'imatch':
      return value === null ? null : 'ask';
    default:
      return assertNever(op);
  }
}

const negated = (truth: Truth): Truth => (typeof truth === 'boolean' ? !truth : truth);

function equals(type: TypeInfo, left: string, right: string): Truth {
  if (textTypes.has(type.oid)) return left === right;
  const order = (orders.get(type.oid) ?? sameText)(left, right);
  return order === null ? 'ask' : order === 0;
}

function evaluateOrder(op: 'lt' | 'lte' | 'gt' | 'gte', type: TypeInfo, left: string, right: string): Truth {
  const order = orders.get(type.oid)?.(left, right) ?? null;
  if (order === null) return 'ask';
  if (op === 'lt') return order < 0;
  if (op === 'lte') return order <= 0;
  return op === 'gt' ? order > 0 : order >= 0;
}

/** `value = any(list)`: true with one equal member, else null when the list holds a null. */
function evaluateIn(type: TypeInfo, value: string, list: string): Truth {
  let sawNull = false;
  for (const item of parseArrayText(list, ',')) {
    if (item === null) {
      sawNull = true;
      continue;
    }
    if (typeof item !== 'string') return 'ask';
    const truth = equals(type, value, item);
    if (truth === true || truth === 'ask') return truth;
  }
  return sawNull ? null : false;
}

function evaluateIs(keyword: string, type: TypeInfo, value: string | null): Truth {
  if (keyword === 'null' || (keyword === 'unknown' && type.oid === boolOid)) return value === null;
  if (type.oid !== boolOid) return 'ask';
  return value === (keyword === 'true' ? 't' : 'f');
}
