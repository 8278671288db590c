import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Observer, ServiceId } from '../core/observe.ts';
import { answerClientError, endLate, refuseUpgrade } from './bare-answer.ts';
import { type BodyWatch, createBodyWatch, type Patience } from './body-watch.ts';
import { type ClientAddress, clientAddress, type ProxyTrust } from './client-address.ts';
import { type HttpReply, type HttpRequest, jsonReply, type ReplyHeaders } from './exchange.ts';
import { close, listen, listenOnSocket } from './listen.ts';
import { hasBody, sendReply } from './send-reply.ts';

/** A request that has been assigned to a service. */
export type Routed = {
  readonly service: ServiceId;
  readonly answer: (request: HttpRequest) => Promise<HttpReply>;
};

/** Decides who answers: gets the raw target split at its query. */
export type Router = (method: string, path: string, message: IncomingMessage) => RoutedRequest;

/** The routed request: its service, the path that the service sees, and its credentials. */
export type RoutedRequest = Routed & {
  readonly path: string;
  readonly authorization: string | null;
  /** Headers that even the answer to an unhandled fault carries. */
  readonly faultHeaders?: ReplyHeaders;
  /** How long its body may take, in place of the server's own time. */
  readonly patience?: Patience | undefined;
};

/** Takes over a socket that asked to be upgraded; `path` and `query` are raw. */
export type UpgradeHandler = (
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: { readonly path: string; readonly query: string; readonly client: ClientAddress },
) => void;

/** What a listener needs. */
export type ServerOptions = {
  readonly router: Router;
  readonly upgrade?: UpgradeHandler;
  readonly observer: Observer;
  readonly isTrustedProxy: ProxyTrust;
  /** Time for a client to send one whole request, unless its service says otherwise; 0 for any time. */
  readonly requestTimeoutMs: number;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
};

/** A listening server. */
export interface HttpServer {
  /** Starts to listen and resolves with the port; rejects when the port is taken. */
  listen(port: number, host: string): Promise<number>;
  /** Listens on a Unix socket instead; a left-over socket at the path is replaced. */
  listenOnSocket(path: string, mode: number): Promise<void>;
  /** Stops taking connections, lets running requests finish until the deadline, then closes what is left. */
  close(drainMs: number): Promise<{ readonly timedOut: boolean }>;
}

const maxHeaderBytes = 32 * 1024;
const keepAliveMs = 65_000;

/** Creates a server over the platform's HTTP parser; the raw request target reaches the services unchanged. */
export function createHttpServer(options: ServerOptions): HttpServer {
  const settings = {
    maxHeaderSize: maxHeaderBytes,
    // Bodies are watched here, each with the patience of its service.
    requestTimeout: 0,
    headersTimeout: Math.min(60_000, options.requestTimeoutMs || 60_000),
    keepAliveTimeout: keepAliveMs,
  };
  const bodies = createBodyWatch(endLate);
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    void serve(options, bodies, message, response);
  };
  const server =
    options.tls === undefined
      ? createServer(settings, listener)
      : createTlsServer({ ...settings, ...options.tls }, listener);
  server.on('clientError', answerClientError);
  // The HTTP server forgets a socket that was upgraded, but waits for it when it closes.
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    const { path, query } = splitTarget(message.url ?? '/');
    if (options.upgrade === undefined) {
      refuseUpgrade(socket);
      return;
    }
    options.upgrade(message, socket, head, {
      path,
      query,
      client: clientAddress(message, options.isTrustedProxy),
    });
  });
  return {
    listen: (port, host) => listen(server, port, host),
    listenOnSocket: (path, mode) => listenOnSocket(server, path, mode),
    close: (drainMs) => close(server, upgraded, drainMs),
  };
}

/** Splits a raw target at the first `?`; an absolute-form target loses its origin. */
function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const relative = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '') || '/';
  const mark = relative.indexOf('?');
  return mark === -1
    ? { path: relative, query: '' }
    : { path: relative.slice(0, mark), query: relative.slice(mark + 1) };
}

async function serve(
  options: ServerOptions,
  bodies: BodyWatch,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  const { path, query } = splitTarget(message.url ?? '/');
  const method = message.method ?? 'GET';
  const routed = options.router(method, path, message);
  const client = clientAddress(message, options.isTrustedProxy);
  const request = toRequest(message, response, routed, { client, query, fullPath: path });
  const { requestTimeoutMs: timeoutMs } = options;
  const patience = routed.patience ?? { idleMs: timeoutMs, totalMs: timeoutMs };
  const forget = hasBody(message) ? bodies.add(message, response, patience) : null;
  const report = (error: unknown, what: string): void =>
    options.observer({
      kind: 'fault',
      service: routed.service,
      message: what,
      error,
      requestId: request.id,
    });
  const fail = (error: unknown): HttpReply => {
    report(error, 'unhandled');
    return jsonReply(500, { message: 'Internal Server Error' }, routed.faultHeaders);
  };
  let reply: HttpReply;
  try {
    reply = await routed.answer(request);
  } catch (error) {
    reply = fail(error);
  }
  try {
    const broken = await sendReply(reply, request, message, response);
    if (broken !== null) report(broken, 'an answer broke off');
  } catch (error) {
    // A status or a header that HTTP has no form for is refused before anything is sent.
    reply = fail(error);
    await sendReply(reply, request, message, response);
  }
  forget?.();
  options.observer({
    kind: 'request-done',
    service: routed.service,
    id: request.id,
    method,
    route: reply.route ?? 'unmatched',
    status: reply.status,
    ms: performance.now() - startedAt,
    role: reply.role ?? null,
  });
}

type Target = { readonly query: string; readonly client: ClientAddress; readonly fullPath: string };

function toRequest(
  message: IncomingMessage,
  response: ServerResponse,
  { path, authorization }: RoutedRequest,
  { client, fullPath, query }: Target,
): HttpRequest {
  const given = message.headers['x-request-id'];
  return {
    id: typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID(),
    method: message.method ?? 'GET',
    path,
    fullPath,
    query,
    headers: message.headers,
    rawHeaders: message.rawHeaders,
    authorization,
    ip: client.ip,
    protocol: client.protocol,
    body: message,
    onGone(listener) {
      const onClose = (): void => {
        if (!response.writableFinished) listener();
      };
      if (response.closed) onClose();
      response.once('close', onClose);
      return () => response.removeListener('close', onClose);
    },
  };
}
