import { StorageError } from './errors.ts';

const listEntry = /^([a-zA-Z0-9\-+.]+)\/([a-zA-Z0-9\-+.]+)(;\s*charset=[a-zA-Z0-9-]+)?$|\*$/;
const maxEntryLength = 1000;

/** Throws `InvalidMimeType` for an entry that a bucket's allow-list cannot hold. */
export function requireMimeTypeEntry(entry: string): void {
  if (entry.length > maxEntryLength || !listEntry.test(entry))
    throw new StorageError('InvalidMimeType', entry);
}

function matches(type: string, entry: string): boolean {
  const [major, minor] = type.split('/');
  const [allowedMajor, allowedMinor] = entry.split('/');
  return allowedMajor === major && (allowedMinor === '*' || allowedMinor === minor);
}

/**
 * Throws `InvalidMimeType` unless the list (none or empty allows everything) has the type as it is written: parameters
 * and case count. Upstream: validateMimeType in src/storage/uploader.ts.
 */
export function requireAllowedMimeType(type: string, allowed: readonly string[] | null): void {
  if (allowed === null || allowed.length === 0) return;
  const isAllowed = type.includes('/') && allowed.some((entry) => matches(type, entry));
  if (!isAllowed) throw new StorageError('InvalidMimeType', type);
}

const token = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Throws `InvalidContentType` for a header that is not `type/subtype`, whatever its parameters. No text is let pass,
 * and `undefined`, which clients send for it. Upstream: Fastify's parser of the header.
 */
export function requireContentType(header: string): void {
  if (header === '' || header === 'undefined') return;
  const [type = '', ...rest] = (header.split(';')[0] ?? '').trim().split('/');
  if (!token.test(type) || !token.test(rest.join('/'))) throw new StorageError('InvalidContentType');
}

/**
 * The type that a stored object is served with: HTML becomes plain text, as upstream has it. Other documents that can
 * hold scripts keep their type and are sandboxed by the reply's headers.
 */
export const servedContentType = (type: string): string => (/text\/html/i.test(type) ? 'text/plain' : type);
