import type { Observer } from '../core/observe.ts';
import { type HttpReply, jsonReply } from '../http/exchange.ts';
import { createHttpServer, type HttpServer } from '../http/server.ts';

/** What the admin listener reports. */
export type AdminSources = {
  /** Parts that must work for the instance to be ready, by name. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
};

/** The listener of /live, /ready and /metrics; meant for a loopback address, since none of them asks for a key. */
export function createAdminServer(sources: AdminSources, observer: Observer): HttpServer {
  return createHttpServer({
    observer: (observation) => {
      if (observation.kind === 'fault') observer(observation);
    },
    isTrustedProxy: () => false,
    requestTimeoutMs: 10_000,
    router: (_method, path) => ({
      service: 'admin',
      path,
      authorization: null,
      answer: () => answer(path, sources),
    }),
  });
}

async function answer(path: string, sources: AdminSources): Promise<HttpReply> {
  switch (path) {
    case '/live':
      return jsonReply(200, { status: 'ok' });
    case '/ready': {
      const parts = await sources.readiness();
      const isReady = Object.values(parts).every(Boolean);
      return jsonReply(isReady ? 200 : 503, { status: isReady ? 'ok' : 'unavailable', parts });
    }
    case '/metrics': {
      const { text, contentType } = await sources.metrics();
      return { status: 200, headers: { 'content-type': contentType }, body: text };
    }
    default:
      return jsonReply(404, { message: 'try /live, /ready or /metrics' });
  }
}
