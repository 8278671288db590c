import { err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';
import { condition, logicPath, logicTree, wholeValue } from './filter.ts';
import type { At, EmbedPath, FieldReference, Filter, LogicTree, OrderTerm, SelectItem } from './model.ts';
import { delimiter, fieldName, jsonPath } from './names.ts';
import { orderList } from './order.ts';
import { percentDecode, percentEncode } from './percent.ts';
import { type Reader, read, type Step } from './reader.ts';
import { allRows, limitOf, parseInteger, type RowRange, restrictRange } from './row-range.ts';
import { selectEverything, selectList } from './select.ts';

/** A query string, understood. */
export type QueryParams = {
  /** Sorted and encoded in one way, as `Content-Location` names it. */
  readonly canonical: string;
  /** Arguments of a function that is called by GET. */
  readonly arguments: readonly (readonly [name: string, value: string])[];
  readonly select: readonly SelectItem[];
  readonly filters: readonly At<Filter>[];
  /** Keys of the parameters that filter, as they were written. */
  readonly filterKeys: readonly string[];
  readonly logic: readonly At<LogicTree>[];
  readonly order: readonly At<readonly OrderTerm[]>[];
  /** Rows asked for, by the key of the limit parameter: `limit`, `clients.limit`. */
  readonly ranges: ReadonlyMap<string, RowRange>;
  readonly columns: readonly string[] | null;
  readonly onConflict: readonly string[] | null;
};

type Pair = readonly [key: string, value: string];

/** Splits a query string at `&` and `;`, decoded; a key without `=` has the value null. */
export function splitQuery(query: string): (readonly [key: string, value: string | null])[] {
  const pairs: (readonly [string, string | null])[] = [];
  let start = 0;
  while (start < query.length) {
    let end = start;
    let equals = -1;
    for (; end < query.length; end++) {
      const code = query.charCodeAt(end);
      if (code === 38 || code === 59) break;
      if (code === 61 && equals < 0) equals = end;
    }
    const key = percentDecode(query.slice(start, equals < 0 ? end : equals), true);
    pairs.push([key, equals < 0 ? null : percentDecode(query.slice(equals + 1, end), true)]);
    start = end + 1;
  }
  return pairs;
}

function canonicalQuery(pairs: readonly (readonly [string, string | null])[]): string {
  const byKey = new Map<string, string>();
  for (const [key, value] of pairs) {
    const encoded = percentEncode(value ?? '');
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? encoded : `${known},${encoded}`);
  }
  const keys = [...byKey.keys()];
  if (keys.length > 1) keys.sort(compareCodePoints);
  return keys.map((key) => `${percentEncode(key)}=${byKey.get(key) ?? ''}`).join('&');
}

const compareCodePoints = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const lastWord = (key: string): string => key.slice(key.lastIndexOf('.') + 1);

type Sorted = {
  readonly filters: Pair[];
  readonly logic: Pair[];
  readonly order: Pair[];
  readonly limits: Pair[];
  readonly offsets: Pair[];
  select: string | null;
  columns: string | null;
  onConflict: string | null;
};

/** Sorts the parameters by what they are for, which their last word says. */
function sortParameters(pairs: readonly (readonly [string, string | null])[]): Sorted {
  const sorted: Sorted = {
    ...{ filters: [], logic: [], order: [], limits: [], offsets: [] },
    ...{ select: null, columns: null, onConflict: null },
  };
  const seen = new Set<string>();
  for (const [key, value] of pairs) {
    const isFirst = !seen.has(key);
    seen.add(key);
    if (value !== null) sortParameter(sorted, key, value, isFirst);
  }
  return sorted;
}

function sortParameter(sorted: Sorted, key: string, value: string, isFirst: boolean): void {
  if (key === 'select') {
    if (isFirst) sorted.select = value;
    return;
  }
  if (key === 'columns') {
    if (isFirst) sorted.columns = value;
    return;
  }
  if (key === 'on_conflict') {
    if (isFirst) sorted.onConflict = value;
    return;
  }
  switch (lastWord(key)) {
    case 'order':
      sorted.order.push([key, value]);
      break;
    case 'limit':
      sorted.limits.push([key, value]);
      break;
    case 'offset':
      sorted.offsets.push([`${key.slice(0, -'offset'.length)}limit`, value]);
      break;
    case 'and':
    case 'or':
      sorted.logic.push([key, value]);
      break;
    default:
      sorted.filters.push([key, value]);
  }
}

function readParameter<T>(name: string, shown: string, text: string, step: Step<T>): Result<T, RestError> {
  const outcome = read(text, step);
  if ('value' in outcome) return ok(outcome.value);
  return err(
    restErrors.invalidQuery(`"failed to parse ${name} (${shown})" ${outcome.position}`, outcome.description),
  );
}

/** Keys of most parameters: a name of ASCII letters, digits and `_`. */
function isPlainKey(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    const isWord =
      (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95 || (code >= 65 && code <= 90);
    if (!isWord) return false;
  }
  return key.length > 0;
}

type TreePath = { readonly path: EmbedPath; readonly field: FieldReference };

const treePath = (reader: Reader): TreePath | null => {
  const names = reader.separated(fieldName, delimiter);
  const steps = names === null ? null : jsonPath(reader);
  const name = names?.pop();
  return names === null || name === undefined || steps === null
    ? null
    : { path: names, field: { name, path: steps } };
};

function readPath(key: string): Result<TreePath, RestError> {
  if (isPlainKey(key)) return ok({ path: [], field: { name: key, path: [] } });
  return readParameter('tree path', key, key, treePath);
}

const filterCondition = (reader: Reader) => condition(reader, wholeValue);

/** The path that a limit parameter's key names. */
export function readRangePath(key: string): Result<EmbedPath, RestError> {
  const path = readPath(key);
  return path.ok ? ok(path.value.path) : path;
}

function readOrder([key, value]: Pair): Result<At<readonly OrderTerm[]>, RestError> {
  const path = readPath(key);
  if (!path.ok) return path;
  const terms = readParameter('order', value, value, orderList);
  return terms.ok ? ok({ path: path.value.path, value: terms.value }) : terms;
}

function readLogic([key, value]: Pair): Result<At<LogicTree>, RestError> {
  const names = readParameter('logic path', key, key, logicPath);
  if (!names.ok) return names;
  const operator = names.value.at(-1) ?? '';
  const prefix = names.value.includes('not') ? `not.${operator}` : operator;
  const tree = readParameter('logic tree', value, `${prefix}${value}`, logicTree);
  if (!tree.ok) return tree;
  return ok({ path: names.value.slice(0, -1).filter((name) => name !== 'not'), value: tree.value });
}

type FilterOrArgument =
  | { readonly kind: 'filter'; readonly filter: At<Filter> }
  | { readonly kind: 'argument'; readonly name: string; readonly value: string };

/** On a function that is called by GET, a value that does not begin as a condition is an argument. */
function readFilter([key, value]: Pair, mayBeArgument: boolean): Result<FilterOrArgument, RestError> {
  const path = readPath(key);
  if (!path.ok) return path;
  const { field } = path.value;
  if (mayBeArgument) {
    const step = (reader: Reader) => {
      const tested = filterCondition(reader);
      return tested === null && reader.position === 0 ? 'argument' : tested;
    };
    const outcome = readParameter('filter', value, value, step);
    if (!outcome.ok) return outcome;
    if (outcome.value === 'argument') return ok({ kind: 'argument', name: field.name, value });
    return ok({
      kind: 'filter',
      filter: { path: path.value.path, value: { kind: 'filter', field, ...outcome.value } },
    });
  }
  const tested = readParameter('filter', value, value, filterCondition);
  if (!tested.ok) return tested;
  return ok({
    kind: 'filter',
    filter: { path: path.value.path, value: { kind: 'filter', field, ...tested.value } },
  });
}

function readAll<T>(
  pairs: readonly Pair[],
  one: (pair: Pair) => Result<T, RestError>,
): Result<T[], RestError> {
  const values: T[] = [];
  for (const pair of pairs) {
    const value = one(pair);
    if (!value.ok) return value;
    values.push(value.value);
  }
  return ok(values);
}

const listComma = (reader: Reader): true | null => {
  reader.skipSpace();
  if (reader.char(44, '","') === null) return null;
  reader.skipSpace();
  return true;
};

const columnList = (reader: Reader): string[] | null => reader.separated(fieldName, listComma);

function readColumns(name: string, value: string | null): Result<readonly string[] | null, RestError> {
  return value === null ? ok(null) : readParameter(name, value, value, columnList);
}

function readRanges(limits: readonly Pair[], offsets: readonly Pair[]): ReadonlyMap<string, RowRange> {
  const ranges = new Map<string, RowRange>();
  for (const [key, value] of limits) {
    const limit = parseInteger(value);
    ranges.set(key, limit === null ? allRows : restrictRange(allRows, limit));
  }
  const starts = new Map(offsets.map(([key, value]) => [key, parseInteger(value) ?? 0n]));
  for (const [key, first] of starts) {
    const limited = ranges.get(key);
    if (limited === undefined) ranges.set(key, { first, last: null });
    // A limit that is no number counts as zero beside an offset.
    else ranges.set(key, { first, last: first + (limitOf(limited) ?? 0n) - 1n });
  }
  return ranges;
}

/**
 * Understands a raw query string. The first parameter that is wrong ends it, in upstream's order of kinds.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/ApiRequest/QueryParams.hs (parse).
 */
export function parseQueryParams(query: string, isCallByGet: boolean): Result<QueryParams, RestError> {
  const pairs = splitQuery(query);
  const sorted = sortParameters(pairs);
  const order = readAll(sorted.order, readOrder);
  if (!order.ok) return order;
  const logic = readAll(sorted.logic, readLogic);
  if (!logic.ok) return logic;
  const columns = readColumns('columns parameter', sorted.columns);
  if (!columns.ok) return columns;
  const select =
    sorted.select === null
      ? ok(selectEverything)
      : readParameter('select parameter', sorted.select, sorted.select, selectList);
  if (!select.ok) return select;
  const filters = readAll(sorted.filters, (pair) => readFilter(pair, isCallByGet));
  if (!filters.ok) return filters;
  const onConflict = readColumns('on_conflict parameter', sorted.onConflict);
  if (!onConflict.ok) return onConflict;
  return ok({
    canonical: canonicalQuery(pairs),
    arguments: filters.value.flatMap((item) => (item.kind === 'argument' ? [[item.name, item.value]] : [])),
    select: select.value,
    filters: filters.value.flatMap((item) => (item.kind === 'filter' ? [item.filter] : [])),
    filterKeys: sorted.filters.map(([key]) => key),
    logic: logic.value,
    order: order.value,
    ranges: readRanges(sorted.limits, sorted.offsets),
    columns: columns.value,
    onConflict: onConflict.value,
  });
}
