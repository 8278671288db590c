import type { IncomingHttpHeaders } from 'node:http';
import type { HttpReply, ReplyHeaders } from './exchange.ts';

/**
 * Response headers that scripts may read: those that the clients of the four services look at.
 * Upstream: supabase/cli internal/start/templates/kong.yml and each service's own CORS set-up.
 */
const exposed = [
  'Content-Encoding',
  'Content-Location',
  'Content-Range',
  'Content-Type',
  'Date',
  'ETag',
  'Link',
  'Location',
  'Preference-Applied',
  'Range-Unit',
  'Server',
  'Transfer-Encoding',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Resumable',
  'Tus-Version',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
  'X-Supabase-Api-Version',
  'X-Total-Count',
  'sb-request-id',
].join(', ');

const methods = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT';

/** Whether a request is a browser's preflight rather than an OPTIONS meant for a service. */
export const isPreflight = (method: string, headers: IncomingHttpHeaders): boolean =>
  method === 'OPTIONS' &&
  headers.origin !== undefined &&
  headers['access-control-request-method'] !== undefined;

/** Answers a preflight: any origin, any method, and whatever headers the client asks for. */
export function preflightReply(headers: IncomingHttpHeaders): HttpReply {
  const asked = headers['access-control-request-headers'];
  return {
    status: 200,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': methods,
      'access-control-allow-headers': asked ?? '*',
      'access-control-max-age': 3600,
      vary: 'Access-Control-Request-Headers',
      'content-length': 0,
    },
    body: null,
    route: 'preflight',
  };
}

/** Headers of every other answer; what a service set itself stands. */
export const corsHeaders: ReplyHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': exposed,
};
