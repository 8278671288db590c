import { err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';
import { condition, logicPath, logicTree, wholeValue } from './filter.ts';
import type {
  At,
  Condition,
  EmbedPath,
  FieldReference,
  Filter,
  LogicTree,
  OrderTerm,
  SelectItem,
} from './model.ts';
import { delimiter, fieldName, jsonPath } from './names.ts';
import { orderList } from './order.ts';
import { canonicalQuery, type Parameter, splitQuery } from './query-string.ts';
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

const lastWord = (key: string): string => key.slice(key.lastIndexOf('.') + 1);

type Sorted = {
  readonly filters: Pair[];
  readonly logic: Pair[];
  readonly order: Pair[];
  readonly limits: Pair[];
  readonly offsets: Pair[];
  /** Of these the first counts, even when it has no value; undefined when there is none. */
  select: string | null | undefined;
  columns: string | null | undefined;
  onConflict: string | null | undefined;
};

/** Sorts the parameters by what they are for, which their last word says. */
function sortParameters(pairs: readonly Parameter[]): Sorted {
  const sorted: Sorted = {
    filters: [],
    logic: [],
    order: [],
    limits: [],
    offsets: [],
    select: undefined,
    columns: undefined,
    onConflict: undefined,
  };
  for (const [key, value] of pairs) {
    if (key === 'select') sorted.select = sorted.select === undefined ? value : sorted.select;
    else if (key === 'columns') sorted.columns = sorted.columns === undefined ? value : sorted.columns;
    else if (key === 'on_conflict')
      sorted.onConflict = sorted.onConflict === undefined ? value : sorted.onConflict;
    else if (value !== null) sortParameter(sorted, key, value);
  }
  return sorted;
}

function sortParameter(sorted: Sorted, key: string, value: string): void {
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

type Filters = Pick<QueryParams, 'filters' | 'arguments' | 'filterKeys'>;

/** A condition; a text that does not begin as one is an argument. */
const conditionOrArgument = (reader: Reader): Condition | 'argument' | null => {
  const tested = filterCondition(reader);
  return tested === null && reader.position === 0 ? 'argument' : tested;
};

/** On a function that is called by GET, a value that does not begin as a condition is an argument. */
function readFilters(pairs: readonly Pair[], mayBeArguments: boolean): Result<Filters, RestError> {
  const step: Step<Condition | 'argument'> = mayBeArguments ? conditionOrArgument : filterCondition;
  const filters: At<Filter>[] = [];
  const given: Pair[] = [];
  for (const [key, value] of pairs) {
    const path = readPath(key);
    if (!path.ok) return path;
    const tested = readParameter('filter', value, value, step);
    if (!tested.ok) return tested;
    const { field } = path.value;
    if (tested.value === 'argument') given.push([field.name, value]);
    else {
      const { negated, operation } = tested.value;
      filters.push({ path: path.value.path, value: { kind: 'filter', negated, operation, field } });
    }
  }
  return ok({ filters, arguments: given, filterKeys: pairs.map(([key]) => key) });
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

function readColumns(
  name: string,
  value: string | null | undefined,
): Result<readonly string[] | null, RestError> {
  return value === null || value === undefined ? ok(null) : readParameter(name, value, value, columnList);
}

const noRanges: ReadonlyMap<string, RowRange> = new Map();

function readRanges(limits: readonly Pair[], offsets: readonly Pair[]): ReadonlyMap<string, RowRange> {
  if (limits.length === 0 && offsets.length === 0) return noRanges;
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

const knownSelects = new Map<string, Result<readonly SelectItem[], RestError>>();
/** An app asks with few lists, again and again; of those that are kept there are no more, nor characters of them. */
const [mostSelects, mostCharacters] = [500, 250_000];
let knownCharacters = 0;

function readSelect(text: string): Result<readonly SelectItem[], RestError> {
  const known = knownSelects.get(text);
  if (known !== undefined) return known;
  const read = readParameter('select parameter', text, text, selectList);
  if (!read.ok || text.length > mostCharacters) return read;
  knownCharacters += text.length;
  if (knownSelects.size >= mostSelects || knownCharacters > mostCharacters) {
    knownSelects.clear();
    knownCharacters = text.length;
  }
  knownSelects.set(text, read);
  return read;
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
    sorted.select === null || sorted.select === undefined ? ok(selectEverything) : readSelect(sorted.select);
  if (!select.ok) return select;
  const filters = readFilters(sorted.filters, isCallByGet);
  if (!filters.ok) return filters;
  const onConflict = readColumns('on_conflict parameter', sorted.onConflict);
  if (!onConflict.ok) return onConflict;
  return ok({
    canonical: canonicalQuery(pairs),
    select: select.value,
    ...filters.value,
    logic: logic.value,
    order: order.value,
    ranges: readRanges(sorted.limits, sorted.offsets),
    columns: columns.value,
    onConflict: onConflict.value,
  });
}
