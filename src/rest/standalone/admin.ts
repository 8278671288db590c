import { createConnection } from 'node:net';
import type { HttpReply } from '../../http/exchange.ts';
import type { Router } from '../../http/server.ts';

/** What the admin listener reports on. */
export type AdminSources = {
  /** Where the main listener is: a port of a host, or the path of a socket. */
  readonly main: () => { readonly host: string; readonly port: number } | { readonly path: string };
  /** Whether the schema cache is loaded and the database is heard. */
  readonly isReady: () => boolean;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** The schema cache as JSON, for people. */
  readonly schemaCache: () => string;
};

/**
 * Health and metrics on a listener of their own.
 * Upstream: PostgREST src/PostgREST/Admin.hs.
 */
export function createAdminRouter(sources: AdminSources): Router {
  return (_method, path) => ({
    service: 'admin',
    path,
    authorization: null,
    answer: () => answer(path, sources),
  });
}

const empty = (status: number, route: string): HttpReply => ({ status, headers: {}, body: '', route });

async function answer(path: string, sources: AdminSources): Promise<HttpReply> {
  switch (path) {
    case '/live':
      return empty((await isReachable(sources.main())) ? 200 : 500, path);
    case '/ready':
      if (!(await isReachable(sources.main()))) return empty(500, path);
      return empty(sources.isReady() ? 200 : 503, path);
    case '/metrics': {
      const { contentType, text } = await sources.metrics();
      return { status: 200, headers: { 'content-type': contentType }, body: text, route: path };
    }
    case '/schema_cache':
      return { status: 200, headers: {}, body: sources.schemaCache(), route: path };
    default:
      return empty(404, 'unmatched');
  }
}

/** Whether the main listener takes a connection. */
function isReachable(target: ReturnType<AdminSources['main']>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(target);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
