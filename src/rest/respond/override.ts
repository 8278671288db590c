import { err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';
import { type Header, isFinalStatus } from './header-text.ts';

/** Status and headers as far as they are decided. */
export type Head = { readonly status: number; readonly headers: readonly Header[] };

/**
 * Lets functions have the last word on status and headers: what they set replaces what the service would have said.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Response.hs (overrideStatusHeaders).
 */
export function overrideHead(
  head: Head,
  set: { readonly status: string | null; readonly headers: string | null },
): Result<Head, RestError> {
  if (set.status === null && set.headers === null) return ok(head);
  const status = set.status === null ? head.status : leadingNumber(set.status);
  if (status === null || !isFinalStatus(status)) return err(restErrors.badResponseStatus());
  const headers = set.headers === null ? [] : parseHeaders(set.headers);
  if (headers === null) return err(restErrors.badResponseHeaders());
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const kept = head.headers.filter(([name]) => !names.has(name.toLowerCase()));
  return ok({ status, headers: [...kept, ...headers] });
}

const leadingNumber = (text: string): number | null => {
  const digits = /^\d+/.exec(text)?.[0];
  return digits === undefined ? null : Number(digits);
};

/** `[{"name": "value"}, ...]`: a list of objects, each with one member that is a text. */
function parseHeaders(text: string): Header[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What a function set is not JSON.
    return null;
  }
  if (!Array.isArray(value)) return null;
  const headers: Header[] = [];
  for (const item of value as unknown[]) {
    const members =
      typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.entries(item) : [];
    const [member] = members;
    if (members.length !== 1 || typeof member?.[1] !== 'string') return null;
    headers.push([member[0], member[1]]);
  }
  return headers;
}
