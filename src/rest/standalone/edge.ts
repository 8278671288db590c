import type { Handler, HttpReply, HttpRequest, ReplyHeaders } from '../../http/exchange.ts';
import type { Router } from '../../http/server.ts';
import type { RestConfig } from '../config/model.ts';
import { corsHeaders, preflight } from '../cors.ts';
import { postgrestVersion } from '../version.ts';

/** Where the service is reached besides the root: the path that it has behind a Supabase gateway. */
const prefix = '/rest/v1';

/** Routes every path to the service, with and without the gateway's prefix. */
export function createRestRouter(handler: Handler, config: () => RestConfig): Router {
  const answer = (request: HttpRequest): Promise<HttpReply> => answerAtEdge(request, handler, config());
  return (_method, path, message) => ({
    service: 'rest',
    path: isPrefixed(path) ? path.slice(prefix.length) || '/' : path,
    authorization: message.headers.authorization ?? null,
    answer,
  });
}

const isPrefixed = (path: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');

/** What PostgREST's own server adds around each answer: CORS, its name, the trace header, a hint to come back. */
async function answerAtEdge(request: HttpRequest, handler: Handler, config: RestConfig): Promise<HttpReply> {
  const reply = preflight(request, config.corsAllowedOrigins) ?? (await handler(request));
  return {
    ...reply,
    headers: {
      Server: `postgrest/${postgrestVersion}`,
      ...traceHeader(request, config.traceHeader),
      ...corsHeaders(request.headers, config.corsAllowedOrigins),
      ...(reply.status === 503 ? { 'Retry-After': '0' } : {}),
      ...reply.headers,
    },
  };
}

function traceHeader(request: HttpRequest, name: string | null): ReplyHeaders {
  if (name === null) return {};
  const value = request.headers[name.toLowerCase()];
  return { [name]: value ?? '' };
}
