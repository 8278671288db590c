import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { capture, decoded } from './capture.ts';
import type { Exchange } from './replay.ts';
import { isReplayable, type RpcRule } from './route.ts';

export type ProxyOptions = {
  readonly upstream: URL;
  readonly rpc: RpcRule;
  /** Whether this request is one of the sample. */
  readonly isSampled: () => boolean;
  /** A larger body flows by without being kept. */
  readonly maxBytes: number;
  readonly onRequest: () => void;
  /** Called once the client has its answer. */
  readonly onExchange: (exchange: Exchange) => void;
};

/**
 * A server whose answers are upstream's, byte for byte, as they come; sockets pass through. What may be compared is
 * copied on the way and handed over afterwards.
 */
export function createShadowProxy(options: ProxyOptions): Server {
  const server = createServer((incoming, outgoing) => forward(incoming, outgoing, options));
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) =>
    passThrough(incoming, socket, head, options.upstream),
  );
  return server;
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, options: ProxyOptions): void {
  const started = performance.now();
  const { method = 'GET', url: target = '/' } = incoming;
  options.onRequest();
  const isKept = isReplayable(method, target, options.rpc) && options.isSampled();
  const sent = isKept ? capture(incoming, options.maxBytes) : null;
  const onward = open(options.upstream, incoming);
  onward.on('response', (answer) => {
    outgoing.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      without(answer.rawHeaders, ANSWER_HOPS),
    );
    const received = isKept ? capture(answer, options.maxBytes) : null;
    answer.pipe(outgoing);
    // Upstream broke off: so does this.
    answer.on('error', () => outgoing.destroy());
    answer.on('aborted', () => outgoing.destroy());
    outgoing.on('finish', () => {
      if (sent === null || received === null || answer.statusCode === 304) return;
      const body = sent();
      if (body === null) return;
      options.onExchange({
        method,
        target,
        headers: plain(incoming.headers),
        body: body.length === 0 ? null : body,
        answer: {
          status: answer.statusCode ?? 0,
          contentType: answer.headers['content-type'] ?? '',
          body: decoded(received(), answer.headers['content-encoding'] ?? ''),
          ms: performance.now() - started,
        },
      });
    });
  });
  onward.on('error', () => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502, { 'content-type': 'application/json' }).end(UNREACHABLE);
  });
  // The client went away: upstream need not go on.
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) onward.destroy();
  });
  incoming.pipe(onward);
}

const UNREACHABLE = JSON.stringify({
  code: 'upstream_unreachable',
  message: 'The upstream project did not answer',
});

/** The same request to upstream: its headers as they came, but for the host and those of the connection. */
function open(
  upstream: URL,
  { method, url = '/', rawHeaders }: IncomingMessage,
  leftOut: ReadonlySet<string> = REQUEST_HOPS,
): ClientRequest {
  const options: RequestOptions = {
    method,
    host: upstream.hostname,
    port: upstream.port,
    path: upstream.pathname.replace(/\/+$/, '') + url,
    headers: [...without(rawHeaders, leftOut), 'Host', upstream.host],
    setHost: false,
  };
  return upstream.protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
}

/** An upgrade is upstream's too: its answer and everything after it, in both directions. */
function passThrough(incoming: IncomingMessage, socket: Duplex, head: Buffer, upstream: URL): void {
  const onward = open(upstream, incoming, HOST);
  socket.on('error', () => onward.destroy());
  onward.on('upgrade', (answer, other, rest) => {
    socket.write(headOf(answer));
    socket.write(rest);
    other.write(head);
    other.pipe(socket).pipe(other);
    other.on('error', () => socket.destroy());
    socket.on('error', () => other.destroy());
    socket.on('close', () => other.destroy());
  });
  onward.on('response', (answer) => {
    socket.write(headOf(answer));
    answer.pipe(socket);
  });
  onward.on('error', () => socket.destroy());
  onward.end();
}

const headOf = ({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string =>
  `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${pairs(rawHeaders)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

/** Headers of the connection and not of the message. A request keeps its framing, an answer gets it anew. */
const HOST: ReadonlySet<string> = new Set(['host']);
const REQUEST_HOPS: ReadonlySet<string> = new Set(['host', 'connection', 'keep-alive', 'proxy-connection']);
const ANSWER_HOPS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

const without = (raw: readonly string[], names: ReadonlySet<string>): string[] =>
  pairs(raw)
    .filter(([name]) => !names.has(name.toLowerCase()))
    .flat();

/** `rawHeaders` are names and values by turns. */
const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as [string, string]] : []));

const plain = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
