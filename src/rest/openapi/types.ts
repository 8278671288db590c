/** Values of the document; absent members are left out. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of the document. */
export type JsonObject = { readonly [name: string]: Json | undefined };

const namedTypes: ReadonlyMap<string, string | null> = new Map([
  ['character varying', 'string'],
  ['character', 'string'],
  ['text', 'string'],
  ['boolean', 'boolean'],
  ['smallint', 'integer'],
  ['integer', 'integer'],
  ['bigint', 'integer'],
  ['numeric', 'number'],
  ['real', 'number'],
  ['double precision', 'number'],
  ['json', null],
  ['jsonb', null],
]);

/** Swagger's type of a Postgres type; null for JSON, which may be anything. */
export function swaggerType(type: string): string | null {
  const named = namedTypes.get(type);
  if (named !== undefined) return named;
  return type.endsWith('[]') ? 'array' : 'string';
}

const formats: ReadonlyMap<string, string> = new Map([
  ['smallint', 'int32'],
  ['integer', 'int32'],
  ['bigint', 'int64'],
]);

/** Swagger's format of a Postgres type: its own name unless Swagger has one. */
export const swaggerFormat = (type: string): string => formats.get(type) ?? type;

/** Type of an array's elements. */
export const elementType = (type: string): string => type.slice(0, -2);

/** Schema of an array's elements; undefined for a type that is no array. */
export const itemsOf = (type: string): JsonObject | undefined =>
  swaggerType(type) === 'array' ? withoutNulls({ type: swaggerType(elementType(type)) }) : undefined;

/** Leaves out members that are null or undefined. */
export const withoutNulls = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));

/** A list, or nothing when it is empty. */
export const unlessEmpty = <T extends Json>(items: readonly T[]): readonly T[] | undefined =>
  items.length === 0 ? undefined : items;

/** First line of a comment and what follows it, without the blank lines between. */
export function splitComment(comment: string | null): {
  readonly summary: string | null;
  readonly description: string | null;
} {
  if (comment === null) return { summary: null, description: null };
  const end = comment.indexOf('\n');
  if (end === -1) return { summary: comment, description: null };
  const description = comment.slice(end).replace(/^\n+/, '');
  return { summary: comment.slice(0, end), description: description === '' ? null : description };
}
