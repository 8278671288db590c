import { z } from 'zod';
import { BodyAborted, BodyTooLarge, readBody } from '../http/body.ts';
import { type Handler, type HttpReply, type HttpRequest, jsonReply } from '../http/exchange.ts';
import { bearerToken } from '../identity/authorization.ts';
import type { Authorizer } from './channel/authorize.ts';
import type { Hub } from './channel/hub.ts';
import { type BroadcastMessage, messageBytes } from './channel/message.ts';
import type { Refusal } from './errors.ts';
import type { RateCounter } from './limits.ts';
import { openSession, type Session, type SessionDeps } from './session.ts';

/** What the HTTP endpoints need. */
export type HttpDeps = {
  readonly hub: Hub;
  readonly authorizer: Authorizer;
  readonly sessions: SessionDeps;
  readonly events: RateCounter;
  readonly maxEventsPerSecond: number;
  readonly maxPayloadBytes: number;
  /** State of the service for health checks. */
  readonly health: () => { readonly replicationConnected: boolean; readonly sockets: number };
};

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

const maxBodyBytes = 8_000_000;

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

const empty = (status: number): HttpReply => ({ status, headers: {}, body: null });
const message = (status: number, text: string): HttpReply => jsonReply(status, { message: text });
const unauthorized = (): HttpReply => message(401, 'Unauthorized');

async function authenticate(request: HttpRequest, deps: HttpDeps): Promise<Session | null> {
  // The gateway's rule copies an apikey into a missing Authorization as it is, without a scheme.
  const token = bearerToken(request.authorization) ?? request.authorization;
  if (token === null) return null;
  const session = await openSession(token, deps.sessions);
  return session.ok ? session.value : null;
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

async function body(request: HttpRequest): Promise<Buffer | HttpReply> {
  try {
    return await readBody(request, maxBodyBytes);
  } catch (failure) {
    if (failure instanceof BodyTooLarge) return message(413, 'Request Entity Too Large');
    if (failure instanceof BodyAborted) return empty(400);
    throw failure;
  }
}

function parseJson(bytes: Buffer): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    // The caller answers 400.
    return null;
  }
}

const blank = "can't be blank";
const text = z.string({ error: (issue) => (issue.input == null ? blank : 'is invalid') });
const batchMessage = z.object({
  topic: text.min(1, blank),
  event: text.min(1, blank),
  payload: z.record(z.string(), z.unknown(), {
    error: (issue) => (issue.input == null ? blank : 'is invalid'),
  }),
  private: z.preprocess((value) => value === true || value === 'true', z.boolean()),
  id: z.string().nullish(),
});
type BatchMessage = z.infer<typeof batchMessage>;

async function batch(request: HttpRequest, deps: HttpDeps): Promise<HttpReply> {
  const session = await authenticate(request, deps);
  if (session === null) return unauthorized();
  const bytes = await body(request);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const json = parseJson(bytes);
  if (json === null) return message(400, 'Bad Request');
  const parsed = parseBatch(json.value, deps.maxPayloadBytes);
  if ('errors' in parsed) return jsonReply(422, parsed);
  if (deps.events.isExceeded()) return message(429, 'You have exceeded your rate limit');
  if (isTooMany(parsed.messages.length, deps)) {
    return message(429, 'Too many messages to broadcast, please reduce the batch size');
  }
  await sendBatch(parsed.messages, session, request, deps);
  return empty(202);
}

const isTooMany = (count: number, { events, maxEventsPerSecond }: HttpDeps): boolean =>
  maxEventsPerSecond > 0 && count + events.average() > maxEventsPerSecond;

type FieldErrors = Record<string, string[]>;

function parseBatch(
  value: unknown,
  maxPayloadBytes: number,
): { readonly messages: readonly BatchMessage[] } | { readonly errors: Record<string, unknown> } {
  const list = z.object({ messages: z.array(z.unknown()).min(1) }).safeParse(value);
  if (!list.success) return { errors: { messages: [blank] } };
  const messages: BatchMessage[] = [];
  const errors = list.data.messages.map((item): FieldErrors => {
    const parsed = batchMessage.safeParse(item);
    if (!parsed.success) return fieldErrors(parsed.error);
    messages.push(parsed.data);
    const size = Buffer.byteLength(JSON.stringify(parsed.data.payload));
    return size > maxPayloadBytes ? { payload: ['Payload size exceeds tenant limit'] } : {};
  });
  return errors.some((fields) => Object.keys(fields).length > 0)
    ? { errors: { messages: errors } }
    : { messages };
}

function fieldErrors(error: z.ZodError): FieldErrors {
  const fields: FieldErrors = {};
  for (const { path, message: reason } of error.issues) {
    const name = String(path[0] ?? 'message');
    fields[name] = [...(fields[name] ?? []), reason];
  }
  return fields;
}

/** Public messages go first; of a private topic all go, or none without a word. */
async function sendBatch(
  messages: readonly BatchMessage[],
  session: Session,
  request: HttpRequest,
  deps: HttpDeps,
): Promise<void> {
  for (const item of messages.filter((each) => !each.private)) publishItem(item, deps);
  const byTopic = new Map<string, BatchMessage[]>();
  for (const item of messages.filter((each) => each.private)) {
    byTopic.set(item.topic, [...(byTopic.get(item.topic) ?? []), item]);
  }
  for (const [subTopic, items] of byTopic) {
    const asker = { session, subTopic, headers: JSON.stringify(request.headers) };
    const allowed = await deps.authorizer.write(asker, 'broadcast');
    if (allowed.ok && allowed.value) for (const item of items) publishItem(item, deps);
  }
}

function publishItem({ topic, event, payload, private: isPrivate, id }: BatchMessage, deps: HttpDeps): void {
  const meta = typeof id === 'string' ? { meta: { id } } : {};
  const object = JSON.stringify({ event, payload, type: 'broadcast', ...meta });
  publish(topic, isPrivate, { kind: 'object', payload: object }, deps);
}

function publish(subTopic: string, isPrivate: boolean, out: BroadcastMessage, deps: HttpDeps): void {
  deps.hub.publish(isPrivate ? 'private' : 'public', subTopic, out);
}

const unsupported = 'Unsupported Media Type. Use application/json or application/octet-stream';

async function single(request: HttpRequest, deps: HttpDeps, parts: readonly string[]): Promise<HttpReply> {
  const type = (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim();
  if (type !== 'application/json' && type !== 'application/octet-stream')
    return jsonReply(415, { error: unsupported });
  const session = await authenticate(request, deps);
  if (session === null) return unauthorized();
  const names = decodeParts(parts);
  if (names === null) return message(400, 'Bad Request');
  const bytes = await body(request);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const out = singleMessage(type, names.event, bytes);
  if (out === null) return message(400, 'Bad Request');
  if (messageBytes(out) > deps.maxPayloadBytes) return message(422, 'Payload size exceeds tenant limit');
  if (deps.events.isExceeded()) return message(429, 'You have exceeded your rate limit');
  const isPrivate = new URLSearchParams(request.query).get('private') === 'true';
  if (isPrivate) {
    const asker = { session, subTopic: names.topic, headers: JSON.stringify(request.headers) };
    const allowed = await deps.authorizer.write(asker, 'broadcast');
    if (!allowed.ok) return refusedReply(allowed.error);
    if (!allowed.value) return message(403, 'Unauthorized');
  }
  publish(names.topic, isPrivate, out, deps);
  return empty(202);
}

function decodeParts([topic = '', event = '']: readonly string[]): { topic: string; event: string } | null {
  try {
    return { topic: decodeURIComponent(topic), event: decodeURIComponent(event) };
  } catch {
    // A stray percent sign.
    return null;
  }
}

function singleMessage(type: string, event: string, bytes: Buffer): BroadcastMessage | null {
  if (type === 'application/octet-stream')
    return { kind: 'user', event, encoding: 'binary', data: bytes, id: null };
  const json = bytes.length === 0 ? { value: {} } : parseJson(bytes);
  if (json === null) return null;
  const value = Array.isArray(json.value) ? { _json: json.value } : json.value;
  return { kind: 'user', event, encoding: 'json', data: Buffer.from(JSON.stringify(value)), id: null };
}

function refusedReply(refusal: Refusal): HttpReply {
  switch (refusal) {
    case 'pool-exhausted':
      return message(429, 'Connection pool exhausted');
    case 'query-canceled':
      return message(422, 'Query canceled');
    case 'missing-partition':
      return message(422, 'Missing messages partition');
    case 'database-unavailable':
      return message(422, 'Tenant database unavailable');
    default:
      return message(422, 'RLS policy error');
  }
}

async function ping(): Promise<HttpReply> {
  return message(200, 'Success');
}

async function health(): Promise<HttpReply> {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'ok' };
}

async function tenantHealth(request: HttpRequest, deps: HttpDeps): Promise<HttpReply> {
  if ((await authenticate(request, deps)) === null) return empty(403);
  const { replicationConnected, sockets } = deps.health();
  return jsonReply(200, {
    data: {
      healthy: true,
      db_connected: replicationConnected,
      replication_connected: replicationConnected,
      connected_cluster: sockets,
    },
  });
}
