import { z } from 'zod';
import { StorageError } from '../errors.ts';

/*
 * Request schemas in zod, refused in the words of the validator that upstream uses (Ajv behind Fastify), whose texts
 * clients see: `body/limit must be >= 1`. Scalars are coerced as that validator coerces them.
 */

/** The part of a request that a schema reads, as messages name it; capitals are those of the S3 endpoint. */
export type Area = 'body' | 'querystring' | 'headers' | 'Body' | 'Querystring';

type Issue = z.core.$ZodIssue;

const isScalar = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean';

/** A list of one stands for its member where a single value is asked for. */
const single = (value: unknown): unknown =>
  Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;

const toText = (given: unknown): unknown => {
  const value = single(given);
  if (value === null) return '';
  return isScalar(value) ? String(value) : value;
};

/** Text; numbers and booleans are taken as their text, null as none. */
export const text = z.preprocess(toText, z.string());

const toNumber = (given: unknown): unknown => {
  const value = single(given);
  if (value === null) return 0;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : value;
};

/** A number, perhaps written as text. */
export const number = (min?: number, max?: number) => z.preprocess(toNumber, bounded(z.number(), min, max));

/** A whole number, perhaps written as text. */
export const integer = (min?: number, max?: number) =>
  z.preprocess(
    toNumber,
    bounded(z.number('must be integer'), min, max).check(z.refine(isWhole, 'must be integer')),
  );

const isWhole = (value: number): boolean => Number.isInteger(value);

function bounded(schema: z.ZodNumber, min?: number, max?: number): z.ZodNumber {
  const atLeast = min === undefined ? schema : schema.min(min);
  return max === undefined ? atLeast : atLeast.max(max);
}

/** A truth value, perhaps written as text or as 0 and 1. */
export const flag = z.preprocess((given) => {
  const value = single(given);
  if (value === 'true' || value === 1) return true;
  if (value === 'false' || value === 0 || value === null) return false;
  return value;
}, z.boolean());

/** A list of texts; a single scalar counts as a list of it. */
export const texts = (min?: number, max?: number) => {
  const list = z.array(text);
  const atLeast = min === undefined ? list : list.min(min);
  return z.preprocess(
    (value) => (typeof value === 'string' || value === null || isScalar(value) ? [value] : value),
    max === undefined ? atLeast : atLeast.max(max),
  );
};

/** One of a few words; what is no text is refused as that. */
export const word = <const T extends readonly [string, ...string[]]>(...words: T) => text.pipe(z.enum(words));

/** Reads one part of a request; throws `InvalidSchema` with the first thing that is wrong. */
export function read<T>(area: Area, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  // The validator looks for missing members before it looks into those that are there.
  const issue = issues.find((candidate) => isMissing(candidate, value)) ?? issues[0];
  throw new StorageError(
    'InvalidSchema',
    issue === undefined ? `${area} is invalid` : describe(area, issue, value),
  );
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );

const isMissing = (issue: Issue, value: unknown): boolean =>
  issue.path.length > 0 && valueAt(value, issue.path) === undefined;

function describe(area: Area, issue: Issue, value: unknown): string {
  const separator = area === 'Body' || area === 'Querystring' ? ', ' : '/';
  const parent = [area, ...issue.path.slice(0, -1)].join(separator);
  const last = issue.path.at(-1);
  if (last !== undefined && isMissing(issue, value)) {
    return `${parent} must have required property '${String(last)}'`;
  }
  return `${[area, ...issue.path].join(separator)} ${rule(issue)}`;
}

function rule(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('must ') ? issue.message : `must be ${issue.expected}`;
    case 'too_small':
      return issue.origin === 'array'
        ? `must NOT have fewer than ${issue.minimum} items`
        : `must be >= ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'array'
        ? `must NOT have more than ${issue.maximum} items`
        : `must be <= ${issue.maximum}`;
    case 'invalid_value':
      return 'must be equal to one of the allowed values';
    default:
      return issue.message;
  }
}
