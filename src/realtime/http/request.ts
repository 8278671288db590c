import { BodyAborted, BodyTooLarge, readBody } from '../../http/body.ts';
import { type HttpReply, type HttpRequest, jsonReply } from '../../http/exchange.ts';
import { bearerToken } from '../../identity/authorization.ts';
import type { Authorizer } from '../channel/authorize.ts';
import type { Hub } from '../channel/hub.ts';
import type { RateCounter } from '../limits.ts';
import { openSession, type Session, type SessionDeps } from '../session.ts';

/** What the HTTP endpoints need. */
export type HttpDeps = {
  readonly hub: Hub;
  readonly authorizer: Authorizer;
  readonly sessions: SessionDeps;
  readonly events: RateCounter;
  readonly maxEventsPerSecond: number;
  readonly maxPayloadBytes: number;
  /** State of the service for health checks. */
  readonly health: () => {
    readonly replicationConnected: boolean;
    readonly sockets: number;
    /** Name of this instance. */
    readonly node: string;
  };
};

const maxBodyBytes = 8_000_000;

/** A reply without a body. */
export const empty = (status: number): HttpReply => ({ status, headers: {}, body: null });
/** A reply that says one thing. */
export const message = (status: number, text: string): HttpReply => jsonReply(status, { message: text });
/** The reply to a token that is missing or not good. */
export const unauthorized = (): HttpReply => message(401, 'Unauthorized');

/** Who asks; null without a good token. */
export async function authenticate(request: HttpRequest, deps: HttpDeps): Promise<Session | null> {
  // The gateway's rule copies an apikey into a missing Authorization as it is, without a scheme.
  const token = bearerToken(request.authorization) ?? request.authorization;
  if (token === null) return null;
  const session = await openSession(token, deps.sessions);
  return session.ok ? session.value : null;
}

/** The body of a request, or the reply to one that is too large or was broken off. */
export async function body(request: HttpRequest): Promise<Buffer | HttpReply> {
  try {
    return await readBody(request, maxBodyBytes);
  } catch (failure) {
    if (failure instanceof BodyTooLarge) return message(413, 'Request Entity Too Large');
    if (failure instanceof BodyAborted) return empty(400);
    throw failure;
  }
}

/** The value that the bytes stand for; null when they are not JSON. */
export function parseJson(bytes: Buffer): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    // The caller answers 400.
    return null;
  }
}
