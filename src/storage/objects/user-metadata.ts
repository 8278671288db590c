import { StorageError } from '../errors.ts';
import type { Json } from '../store/rows.ts';

const maxBytes = 1024 * 1024;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** What is no JSON, or a mere number, counts as none; lists and texts are refused, as upstream's database does. */
function parse(text: string): Json | null {
  const value = parseJson(text);
  if (Array.isArray(value) || typeof value === 'string') {
    throw new StorageError('InvalidValue', 'invalid input syntax for type json');
  }
  return isObject(value) ? value : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Where the text went wrong is of no use to a client.
    return null;
  }
}

/** User metadata of a form field: JSON text. Throws `EntityTooLarge` above 1 MiB, `InvalidValue` for no object. */
export function parseMetadataField(text: string): Json | null {
  if (Buffer.byteLength(text) > maxBytes) throw new StorageError('EntityTooLarge', 'user_metadata');
  return parse(text);
}

/** User metadata of the `x-metadata` header: base64 of JSON text. Throws `InvalidValue` for no object. */
export const parseMetadataHeader = (value: string | readonly string[] | undefined): Json | null =>
  typeof value === 'string' ? parse(Buffer.from(value, 'base64').toString('utf8')) : null;
