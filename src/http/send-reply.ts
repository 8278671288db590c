import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpReply, HttpRequest, SelfSending } from './exchange.ts';

/**
 * Sends an answer. Rejects before anything is sent when HTTP has no form for its status or a header. A source that
 * breaks later closes the connection, the only signal that is left; resolves with its error then, and with null when
 * all went well or the client left.
 */
export async function sendReply(
  reply: HttpReply,
  request: HttpRequest,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<unknown> {
  const { body, status } = reply;
  const isStream = body !== null && typeof body === 'object' && !Buffer.isBuffer(body) && !isList(body);
  if (response.destroyed) {
    if (isStream) body.destroy();
    return null;
  }
  const headers = outgoingHeaders(reply);
  // A body that nobody read to its end would be taken for the next request on this connection.
  if (!message.complete && hasBody(message)) headers.connection = 'close';
  // Without a body an answer to HEAD says nothing about the length that GET would give.
  const isUnsized = isBodyless(status) || (request.method === 'HEAD' && (body === null || body === ''));
  if (!isStream && headers['content-length'] === undefined && !isUnsized) {
    headers['content-length'] = lengthOf(body);
  }
  response.writeHead(status, headers);
  if (request.method === 'HEAD') {
    if (isStream) body.destroy();
    response.end();
    return null;
  }
  if (body === null || typeof body === 'string' || Buffer.isBuffer(body)) {
    response.end(body);
    return null;
  }
  return isStream && isSelfSending(body)
    ? sendItself(body, response)
    : pipe(isStream ? body : Readable.from(body), response);
}

async function sendItself(body: SelfSending, response: ServerResponse): Promise<unknown> {
  try {
    await body.sendTo(response);
    return null;
  } catch (error) {
    const hasLeft = response.destroyed;
    response.destroy();
    return hasLeft ? null : error;
  }
}

async function pipe(body: Readable, response: ServerResponse): Promise<unknown> {
  try {
    await pipeline(body, response);
    return null;
  } catch (error) {
    response.destroy();
    return isEarlyEnd(error) ? null : error;
  }
}

/** What a pipe reports when its receiving end closes. */
const isEarlyEnd = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

const isSelfSending = (body: Readable): body is Readable & SelfSending => 'sendTo' in body;

const isList = (body: HttpReply['body']): body is readonly Buffer[] => Array.isArray(body);

/** Bytes of a body that is no stream. */
function lengthOf(body: string | Buffer | readonly Buffer[] | null): number {
  if (body === null) return 0;
  return typeof body === 'string' || Buffer.isBuffer(body)
    ? Buffer.byteLength(body)
    : body.reduce((length, piece) => length + piece.length, 0);
}

/** Headers of an answer, each name once: a later one replaces an earlier one that differs in case alone. */
function outgoingHeaders(reply: HttpReply): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const names = new Map<string, string>();
  for (const name in reply.headers) {
    const value = reply.headers[name];
    if (value === undefined) continue;
    const lower = name.toLowerCase();
    const earlier = names.get(lower);
    if (earlier !== undefined) delete headers[earlier];
    names.set(lower, name);
    headers[name] = value as string | number | string[];
  }
  return headers;
}

/** Whether a request announces a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const isBodyless = (status: number): boolean => status === 204 || status === 304;
