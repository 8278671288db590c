import type { IncomingHttpHeaders } from 'node:http';
import type { ReplyHeaders } from '../../http/exchange.ts';
import type { Json } from '../store/rows.ts';

const prefix = 'x-amz-meta-';

/** User metadata of `x-amz-meta-*` headers; null without one. */
export function userMetadataOf(headers: IncomingHttpHeaders): Json | null {
  const found = Object.entries(headers).filter(
    ([name, value]) => name.startsWith(prefix) && typeof value === 'string',
  );
  if (found.length === 0) return null;
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

const isHeaderName = (name: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
const isHeaderValue = (value: string): boolean => /^[\t\x20-\x7e]*$/.test(value);

/** `x-amz-meta-*` headers of user metadata; what cannot be a header is counted in `x-amz-missing-meta`. */
export function metadataHeaders(metadata: Json | null): ReplyHeaders {
  const headers: Record<string, string | number> = {};
  let missing = 0;
  for (const [key, value] of Object.entries(metadata ?? {})) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (isHeaderName(key) && isHeaderValue(text)) headers[`${prefix}${key.toLowerCase()}`] = text;
    else missing++;
  }
  return missing === 0 ? headers : { ...headers, 'x-amz-missing-meta': missing };
}
