import { StorageError } from '../errors.ts';
import type { Json } from '../store/rows.ts';

const maxBytes = 1024 * 1024;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

function parse(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    // Metadata that is no JSON counts as none, as upstream has it.
    return null;
  }
}

/** User metadata of a form field: JSON text. Throws `EntityTooLarge` above 1 MiB. */
export function parseMetadataField(text: string): Json | null {
  if (Buffer.byteLength(text) > maxBytes) throw new StorageError('EntityTooLarge', 'user_metadata');
  return parse(text);
}

/** User metadata of the `x-metadata` header: base64 of JSON text. */
export const parseMetadataHeader = (value: string | readonly string[] | undefined): Json | null =>
  typeof value === 'string' ? parse(Buffer.from(value, 'base64').toString('utf8')) : null;
