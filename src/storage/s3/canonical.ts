import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/*
 * The canonical form of a request that AWS Signature Version 4 signs. Everything is taken as the client sent it; the
 * host is the one thing that a proxy may have replaced, so that it is given.
 */

/** What is signed. */
export type SignedRequest = {
  readonly method: string;
  /** Raw path. */
  readonly path: string;
  /** Raw query. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly host: string;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
};

/** Percent-encoding of RFC 3986, as the signature wants it. */
export const encodeRfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // What is no escape is signed as it stands.
    return text;
  }
}

/** Sorted, re-encoded query without the signature itself. */
export function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    })
    .map(([key = '', value = '']) => [encodeRfc3986(decode(key)), encodeRfc3986(decode(value))] as const)
    .filter(([key]) => key !== 'X-Amz-Signature')
    .sort(([a, av], [b, bv]) => (a === b ? compare(av, bv) : compare(a, b)))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function headerValue({ headers, host }: SignedRequest, name: string): string {
  if (name === 'host') return host;
  // A proxy that changes what it accepts says what the client had said.
  const original = name === 'accept-encoding' ? headers['x-original-accept-encoding'] : undefined;
  const value = original ?? headers[name] ?? '';
  const values = Array.isArray(value) ? value : [value];
  return values.map((item) => item.trim().replace(/ +/g, ' ')).join(',');
}

/** SHA-256 of the canonical request, hexadecimal. */
export function canonicalHash(request: SignedRequest): string {
  const names = request.signedHeaders.map((name) => name.toLowerCase());
  const text = [
    request.method,
    request.path === '' ? '/' : request.path,
    canonicalQuery(request.query),
    ...names.map((name) => `${name}:${headerValue(request, name)}`),
    '',
    names.join(';'),
    request.payloadHash,
  ].join('\n');
  return createHash('sha256').update(text).digest('hex');
}
