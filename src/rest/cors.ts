import type { IncomingHttpHeaders } from 'node:http';
import type { HttpReply, HttpRequest, ReplyHeaders } from '../http/exchange.ts';

const methods = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'];
const exposed =
  'Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, Range-Unit';
const simpleHeaders = ['Accept', 'Accept-Language', 'Content-Language'];
const maxAgeSeconds = 24 * 60 * 60;

/** Origins that browsers may call from; null for any. */
export type AllowedOrigins = readonly string[] | null;

/** Headers that let the page of an origin read an answer; none for a page of another origin, or no page. */
export function corsHeaders(headers: IncomingHttpHeaders, origins: AllowedOrigins): ReplyHeaders {
  const allowed = allowedOrigin(headers, origins);
  return allowed === null ? {} : { ...allowed, 'Access-Control-Expose-Headers': exposed };
}

function allowedOrigin({ origin }: IncomingHttpHeaders, origins: AllowedOrigins): ReplyHeaders | null {
  if (origin === undefined) return null;
  if (origins === null) return { 'Access-Control-Allow-Origin': '*' };
  return origins.includes(origin)
    ? { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' }
    : null;
}

/**
 * Answers a browser's preflight; null for any other request, and for a preflight that is refused, which the service
 * then answers like any OPTIONS.
 * Upstream: PostgREST src/PostgREST/Cors.hs.
 */
export function preflight({ method, headers }: HttpRequest, origins: AllowedOrigins): HttpReply | null {
  const asked = headers['access-control-request-method'];
  const allowed = allowedOrigin(headers, origins);
  if (method !== 'OPTIONS' || asked === undefined || allowed === null || !methods.includes(asked))
    return null;
  return {
    status: 200,
    headers: {
      ...allowed,
      'Access-Control-Allow-Methods': methods.join(', '),
      'Access-Control-Allow-Headers': allowHeaders(headers['access-control-request-headers']),
      'Access-Control-Max-Age': String(maxAgeSeconds),
    },
    body: '',
    route: 'preflight',
  };
}

/** Whatever the page asks for, once each. */
function allowHeaders(asked: string | undefined): string {
  const names = ['Authorization', ...(asked?.split(',').map((name) => name.trim()) ?? []), ...simpleHeaders];
  const seen = new Map<string, string>();
  for (const name of names) if (!seen.has(name.toLowerCase())) seen.set(name.toLowerCase(), name);
  return [...seen.values()].join(', ');
}
