import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { err, ok, type Result } from '../../core/result.ts';
import { type Refusal, upgradeRefusal } from '../errors.ts';
import { openSession, type Session, type SessionDeps, tokenOfKey } from '../session.ts';

/** The key that a connection comes with: the header wins over the query. Null without one. */
export function connectionKey(headers: IncomingHttpHeaders, query: URLSearchParams): string | null {
  const header = headers['x-api-key'];
  return typeof header === 'string' ? header : query.get('apikey');
}

/** Headers that policies may read of a socket: those whose name starts with `x-`, as JSON text. */
export function policyHeaders(headers: IncomingHttpHeaders): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-'))),
  );
}

/** Checks the key of a connection; a key of the new style stands for its role's token. */
export async function authenticateConnection(
  key: string | null,
  deps: SessionDeps,
): Promise<Result<Session, Refusal>> {
  if (key === null) return err('api-key-missing');
  let decoded: string;
  try {
    decoded = decodeURIComponent(key);
  } catch {
    // A stray percent sign: no token has one.
    return err('malformed-token');
  }
  const session = await openSession(tokenOfKey(decoded, deps.keys), deps);
  return session.ok ? ok(session.value) : session;
}

const statusTexts: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** Answers an upgrade by HTTP instead, and closes. */
export function refuseUpgrade(socket: Duplex, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${statusTexts[status] ?? ''}\r\nconnection: close\r\naccess-control-allow-origin: *\r\n` +
      `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

/** Answers a refused connection after a while, which slows down clients that try again at once. */
export function refuseConnection(socket: Duplex, refusal: Refusal, delayMs: number): void {
  const { status, error } = upgradeRefusal(refusal);
  const timer = setTimeout(() => refuseUpgrade(socket, status, { error }), delayMs);
  socket.once('close', () => clearTimeout(timer));
}

/** Whether a request asks for a WebSocket. */
export const isWebSocketUpgrade = (message: IncomingMessage): boolean =>
  message.method === 'GET' && message.headers.upgrade?.toLowerCase() === 'websocket';
