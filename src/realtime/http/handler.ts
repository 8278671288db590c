import { type Handler, type HttpReply, type HttpRequest, jsonReply } from '../../http/exchange.ts';
import { batch, single } from './broadcast.ts';
import { authenticate, empty, type HttpDeps, message } from './request.ts';

type Endpoint = (request: HttpRequest, deps: HttpDeps, parts: readonly string[]) => Promise<HttpReply>;

type Route = {
  /** Whether the project's rate of messages is looked at first, and told in the headers. */
  readonly isRated: boolean;
  readonly method: string;
  readonly pattern: RegExp;
  readonly route: string;
  readonly endpoint: Endpoint;
};

const routes: readonly Route[] = [
  {
    method: 'POST',
    pattern: /^\/api\/broadcast\/?$/,
    route: '/api/broadcast',
    isRated: true,
    endpoint: batch,
  },
  {
    method: 'POST',
    pattern: /^\/api\/broadcast\/([^/]+)\/events\/([^/]+)\/?$/,
    route: '/api/broadcast/:topic/events/:event',
    isRated: true,
    endpoint: single,
  },
  { method: 'GET', pattern: /^\/api\/ping\/?$/, route: '/api/ping', isRated: true, endpoint: ping },
  {
    method: 'GET',
    pattern: /^\/(api\/)?health(check)?\/?$/,
    route: '/api/health',
    isRated: false,
    endpoint: health,
  },
  {
    method: 'GET',
    pattern: /^\/api\/tenants\/[^/]+\/health\/?$/,
    route: '/api/tenants/:id/health',
    isRated: false,
    endpoint: tenantHealth,
  },
];

/** Answers the HTTP requests of the service. Upstream: supabase/realtime lib/realtime_web/router.ex. */
export function createHttpHandler(deps: HttpDeps): Handler {
  return async (request) => {
    for (const { method, pattern, route, isRated, endpoint } of routes) {
      const match = pattern.exec(request.path);
      if (match === null || request.method !== method) continue;
      const answer = (): Promise<HttpReply> => endpoint(request, deps, match.slice(1));
      return { ...(await (isRated ? rated(deps, answer) : answer())), route };
    }
    return jsonReply(404, { message: 'Not Found' });
  };
}

const rateHeaders = ({ events, maxEventsPerSecond }: HttpDeps): HttpReply['headers'] => {
  const rolling = Math.floor(events.average());
  return {
    'x-rate-rolling': rolling,
    'x-rate-limit': maxEventsPerSecond,
    'x-rate-limit-remaining': Math.max(0, maxEventsPerSecond - rolling),
  };
};

/** Upstream: supabase/realtime lib/realtime_web/plugs/rate_limiter.ex. */
async function rated(deps: HttpDeps, answer: () => Promise<HttpReply>): Promise<HttpReply> {
  const headers = rateHeaders(deps);
  const { maxEventsPerSecond: limit, events } = deps;
  const isTooMuch = limit > 0 && Math.floor(events.average()) >= limit;
  const reply = isTooMuch ? message(429, 'Too many requests') : await answer();
  return reply.status === 415 ? reply : { ...reply, headers: { ...reply.headers, ...headers } };
}

async function ping(): Promise<HttpReply> {
  return message(200, 'Success');
}

async function health(): Promise<HttpReply> {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'ok' };
}

/** Upstream: supabase/realtime lib/realtime/tenants.ex, health_check. */
async function tenantHealth(request: HttpRequest, deps: HttpDeps): Promise<HttpReply> {
  if ((await authenticate(request, deps)) === null) return empty(403);
  const { replicationConnected, sockets, node } = deps.health();
  return jsonReply(200, {
    data: {
      // Without anybody to serve, the database need not be there.
      healthy: replicationConnected || sockets === 0,
      db_connected: replicationConnected,
      replication_connected: replicationConnected,
      connected_cluster: sockets,
      region: null,
      node,
    },
  });
}
