/** One place where an answer is not as expected. */
export type Mismatch = { readonly at: string; readonly expected: unknown; readonly actual: unknown };

/** How objects are compared: all keys, or those that are expected. */
export type Mode = 'exact' | 'subset';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?$/;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const isText = (value: unknown): value is string => typeof value === 'string';

/** Words that stand for a kind of value. */
const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
  '<any>': (value) => value !== undefined,
  '<absent>': (value) => value === undefined,
  '<uuid>': (value) => isText(value) && UUID.test(value),
  '<timestamp>': (value) => isText(value) && TIMESTAMP.test(value),
  '<jwt>': (value) => isText(value) && JWT.test(value),
  '<string>': (value) => isText(value) && value !== '',
  '<number>': (value) => typeof value === 'number',
  '<integer>': (value) => Number.isInteger(value),
  '<object>': (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  '<array>': (value) => Array.isArray(value),
};

/**
 * Compares a value with an expectation. Strings of an expectation may be a kind (`<uuid>`) or, after `~ `, a regular
 * expression. Arrays are compared element by element.
 */
export function mismatches(expected: unknown, actual: unknown, mode: Mode, at = ''): Mismatch[] {
  if (isText(expected)) return matchesText(expected, actual) ? [] : [{ at, expected, actual }];
  if (Array.isArray(expected)) return arrayMismatches(expected, actual, mode, at);
  if (isRecord(expected)) return objectMismatches(expected, actual, mode, at);
  return Object.is(expected, actual) ? [] : [{ at, expected, actual }];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function matchesText(expected: string, actual: unknown): boolean {
  const kind = kinds[expected];
  if (kind !== undefined) return kind(actual);
  if (expected.startsWith('~ ')) return isText(actual) && new RegExp(expected.slice(2), 's').test(actual);
  return expected === actual;
}

function arrayMismatches(expected: readonly unknown[], actual: unknown, mode: Mode, at: string): Mismatch[] {
  if (!Array.isArray(actual) || actual.length !== expected.length) return [{ at, expected, actual }];
  return expected.flatMap((item, index) => mismatches(item, actual[index], mode, `${at}[${index}]`));
}

function objectMismatches(
  expected: Readonly<Record<string, unknown>>,
  actual: unknown,
  mode: Mode,
  at: string,
): Mismatch[] {
  if (!isRecord(actual)) return [{ at, expected, actual }];
  const below = (key: string): string => (at === '' ? key : `${at}.${key}`);
  const surplus = mode === 'subset' ? [] : Object.keys(actual).filter((key) => !(key in expected));
  return [
    ...Object.entries(expected).flatMap(([key, value]) => mismatches(value, actual[key], mode, below(key))),
    ...surplus.map((key) => ({ at: below(key), expected: undefined, actual: actual[key] })),
  ];
}

/** Compares arrays whose elements may come in any order; without an array, as `mismatches`. */
export function unorderedMismatches(expected: unknown, actual: unknown, mode: Mode): Mismatch[] {
  if (!Array.isArray(expected) || !Array.isArray(actual) || expected.length !== actual.length) {
    return mismatches(expected, actual, mode);
  }
  const left = [...actual];
  for (const item of expected) {
    const found = left.findIndex((candidate) => mismatches(item, candidate, mode).length === 0);
    if (found < 0) return [{ at: '', expected, actual }];
    left.splice(found, 1);
  }
  return [];
}

/** The expected elements that an array lacks. */
export function missingElements(expected: readonly unknown[], actual: unknown): Mismatch[] {
  const elements = Array.isArray(actual) ? actual : [];
  return expected
    .filter((item) => !elements.some((candidate) => mismatches(item, candidate, 'subset').length === 0))
    .map((item) => ({ at: '[*]', expected: item, actual }));
}

/** The value at a path such as `body.0.id`, or undefined; after ` ~ ` the part of the text that a pattern captures. */
export function savedValue(root: unknown, source: string): unknown {
  const [path = '', pattern] = source.split(' ~ ');
  const value = valueAt(root, path);
  return pattern === undefined || !isText(value) ? value : new RegExp(pattern).exec(value)?.[1];
}

/** The value at a path such as `body.0.id`, or undefined. */
export function valueAt(root: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined,
      root,
    );
}
