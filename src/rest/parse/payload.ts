import { isUtf8 } from 'node:buffer';
import { err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';
import { parseCsv } from './csv.ts';
import type { MediaType } from './media-type.ts';
import { splitQuery } from './query-string.ts';

/** A request body, as far as planning has to know it. */
export type Payload =
  /** JSON text; the keys are those of its object, or the same of all objects of its array. */
  | { readonly kind: 'json'; readonly body: Body; readonly keys: readonly string[] | null }
  | { readonly kind: 'form'; readonly fields: readonly (readonly [name: string, value: string])[] }
  | { readonly kind: 'raw'; readonly body: Body };

/** A body as it came, or as text that was made of it. */
export type Body = string | Buffer;

/** What a body is for. */
export type PayloadUse = 'rows' | 'call';

/**
 * Checks a body and finds the keys of its JSON. With `columns` the keys are not needed and the database parses alone.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/ApiRequest/Payload.hs.
 */
export function parsePayload(
  body: Buffer,
  contentType: MediaType,
  use: PayloadUse,
  hasColumns: boolean,
): Result<Payload, RestError> {
  switch (contentType.kind) {
    case 'json':
      if (hasColumns) return ok({ kind: 'json', body, keys: null });
      return body.length === 0 && use === 'call'
        ? ok({ kind: 'json', body: '{}', keys: [] })
        : jsonPayload(body);
    case 'csv':
      return csvPayload(body);
    case 'urlencoded':
      return ok(formPayload(body, use));
    case 'text':
    case 'xml':
    case 'octet-stream':
      if (use === 'call') return ok({ kind: 'raw', body });
      break;
    default:
  }
  return err(restErrors.invalidBody(`Content-Type not acceptable: ${contentType.name}`));
}

function jsonPayload(body: Buffer): Result<Payload, RestError> {
  // Decoding would put a replacement in place of what is no UTF-8, and that would be stored.
  if (!isUtf8(body)) return err(restErrors.invalidBody('Empty or invalid json'));
  const text = body.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words are not for clients.
    return err(restErrors.invalidBody('Empty or invalid json'));
  }
  const payload = withUniformKeys(text, value);
  return payload === null ? err(restErrors.invalidBody('All object keys must match')) : ok(payload);
}

function csvPayload(body: Buffer): Result<Payload, RestError> {
  const rows = parseCsv(body.toString());
  if (rows === null) return err(restErrors.invalidBody('parse error (not enough input) at ""'));
  const payload = withUniformKeys(JSON.stringify(rows), rows);
  return payload === null
    ? err(restErrors.invalidBody('All lines must have same number of fields'))
    : ok(payload);
}

function formPayload(body: Buffer, use: PayloadUse): Payload {
  const fields = splitQuery(body.toString('latin1')).map(([name, value]) => [name, value ?? ''] as const);
  if (use === 'call') return { kind: 'form', fields };
  const object = Object.fromEntries(fields);
  return { kind: 'json', body: JSON.stringify(object), keys: Object.keys(object) };
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The payload of an object or of objects with the same keys; whatever is neither counts as an empty array. */
function withUniformKeys(text: string, value: unknown): Payload | null {
  if (isObject(value)) return { kind: 'json', body: text, keys: Object.keys(value) };
  if (!Array.isArray(value) || value.length === 0) return { kind: 'json', body: '[]', keys: [] };
  const [first] = value as unknown[];
  if (!isObject(first)) return null;
  const keys = Object.keys(first);
  for (const row of value as unknown[]) {
    if (row !== first && !(isObject(row) && hasExactly(row, keys))) return null;
  }
  return { kind: 'json', body: text, keys };
}

function hasExactly(row: object, keys: readonly string[]): boolean {
  let count = 0;
  for (const key in row) if (Object.hasOwn(row, key)) count++;
  return count === keys.length && keys.every((key) => Object.hasOwn(row, key));
}
