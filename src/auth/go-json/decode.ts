import type { z } from 'zod';
import { err, ok, type Result } from '../../core/result.ts';
import { jsonSyntaxError } from './syntax.ts';

/** A body of members; its description is upstream's name of it, which refusals mention. */
export type BodySchema<T> = z.ZodObject & z.ZodType<T>;

/** A text by the schema of a body, or why it does not fit, in the words of Go's library. */
export function decodeJson<T>(text: string, schema: BodySchema<T>): Result<T, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(jsonSyntaxError(text) ?? 'unexpected end of JSON input');
  }
  if (value === null) value = {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    return err(`json: cannot unmarshal ${goKind(value)} into Go value of type api.${schema.description}`);
  }
  const members = matchNames(value as Record<string, unknown>, schema);
  const result = schema.safeParse(members);
  return result.success ? ok(result.data) : err(mismatch(members, schema, result.error));
}

/** Go finds a member whatever its case. */
function matchNames(value: Record<string, unknown>, schema: z.ZodObject): Record<string, unknown> {
  const names = new Map(Object.keys(schema.shape).map((name) => [name.toLowerCase(), name]));
  const isExact = Object.keys(value).every((name) => name in schema.shape || !names.has(name.toLowerCase()));
  if (isExact) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [names.get(name.toLowerCase()) ?? name, member]),
  );
}

const goTypes: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  record: 'map[string]interface {}',
  array: '[]string',
  object: 'struct',
};

const goKind = (value: unknown): string => {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
};

/** The first member of the text that does not fit. */
function mismatch(members: Record<string, unknown>, schema: z.ZodObject, error: z.ZodError): string {
  const order = Object.keys(members);
  const [first] = [...error.issues].sort(
    (a, b) => order.indexOf(String(a.path[0])) - order.indexOf(String(b.path[0])),
  );
  const path = first?.path ?? [];
  const found = path.reduce<unknown>(
    (value, name) => (value as Record<PropertyKey, unknown> | null)?.[name],
    members,
  );
  const expected = first?.code === 'invalid_type' ? first.expected : 'string';
  // A member that is a structure of its own is described by upstream's name of that.
  const named = expected === 'object' ? schema.shape[String(path[0])] : undefined;
  const type = (named as z.ZodType | undefined)?.description ?? goTypes[expected] ?? expected;
  return `json: cannot unmarshal ${goKind(found)} into Go struct field ${schema.description}.${path.join('.')} of type ${type}`;
}
