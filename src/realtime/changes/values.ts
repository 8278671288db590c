import { assertNever } from '../../core/result.ts';
import { type ArrayText, parseArrayText } from './array-text.ts';
import { parseCompositeText } from './composite-text.ts';
import type { TypeInfo } from './model.ts';

/** Object ids of built-in types; the server never changes them. */
const oids = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  jsonb: 3802,
} as const;

const quote = (text: string): string => JSON.stringify(text);

/** JSON has no word for these; the stream of upstream carries null for them. */
const numberToken = (text: string): string => (/^-?\d/.test(text) ? text : 'null');

/** `2024-01-02 03:04:05.6+00` as `2024-01-02T03:04:05.6+00:00`; `infinity` stays. */
function isoTimestamp(text: string): string {
  const match = /^(\S+) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)?(:\d\d)?(.*)$/.exec(text);
  if (match === null) return text;
  const [, date = '', time = '', hours = '', minutes, rest = ''] = match;
  return `${date}T${time}${hours}${hours === '' ? '' : (minutes ?? ':00')}${rest}`;
}

function scalarToken(oid: number, text: string): string {
  switch (oid) {
    case oids.bool:
      return text === 't' ? 'true' : 'false';
    case oids.int2:
    case oids.int4:
    case oids.int8:
    case oids.oid:
      return text;
    case oids.numeric:
    case oids.float4:
    case oids.float8:
      return numberToken(text);
    case oids.json:
    case oids.jsonb:
      return text;
    case oids.bytea:
      return quote(text.startsWith('\\x') ? text.slice(2) : text);
    case oids.timestamp:
    case oids.timestamptz:
      return quote(isoTimestamp(text));
    default:
      return quote(text);
  }
}

/** What the database prints for a value of a type with a cast of its own; null when it has not been asked. */
export type JsonCasts = (type: TypeInfo, text: string) => string | null;

const noCasts: JsonCasts = () => null;

/**
 * A value of the change stream as JSON text, as `to_jsonb` would print it. Two differences are upstream's: bytea is hex
 * without its prefix, and numbers that JSON has no word for are null. Text of char(n) and bit(n) is kept in full.
 *
 * Upstream: supabase/realtime priv/repo/tenant_schema/realtime/functions/cast.sql.
 */
export function valueToken(type: TypeInfo, text: string | null, casts: JsonCasts = noCasts): string {
  if (text === null) return 'null';
  const { shape } = type;
  switch (shape.kind) {
    case 'scalar':
      return scalarToken(type.oid, text);
    case 'cast':
      return casts(type, text) ?? quote(text);
    case 'domain':
      return valueToken(shape.base, text, casts);
    case 'array':
      return arrayToken(shape.element, parseArrayText(text, shape.delimiter), casts);
    case 'composite': {
      const fields = parseCompositeText(text);
      const members = shape.attributes.map(
        ({ name, type: inner }, i) => `${quote(name)}:${valueToken(inner, fields[i] ?? null, casts)}`,
      );
      return `{${members.join(',')}}`;
    }
    default:
      return assertNever(shape);
  }
}

function arrayToken(element: TypeInfo, items: ArrayText, casts: JsonCasts): string {
  const tokens = items.map((item) =>
    item === null || typeof item === 'string'
      ? valueToken(element, item, casts)
      : arrayToken(element, item, casts),
  );
  return `[${tokens.join(',')}]`;
}
