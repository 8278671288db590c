import { type HttpReply, type HttpRequest, jsonReply } from '../../http/exchange.ts';
import { type BroadcastMessage, messageBytes } from '../channel/message.ts';
import type { Refusal } from '../errors.ts';
import type { Session } from '../session.ts';
import { type BatchMessage, blank, isBlank, parseBatch, tooLarge } from './batch-messages.ts';
import { authenticate, body, empty, type HttpDeps, message, parseJson, unauthorized } from './request.ts';

/** Broadcasts many messages. */
export async function batch(request: HttpRequest, deps: HttpDeps): Promise<HttpReply> {
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
  const meta = id === null ? {} : { meta: { id } };
  const object = JSON.stringify({ event, payload, type: 'broadcast', ...meta });
  publish(topic, isPrivate, { kind: 'object', payload: object }, deps);
}

function publish(subTopic: string, isPrivate: boolean, out: BroadcastMessage, deps: HttpDeps): void {
  deps.hub.publish(isPrivate ? 'private' : 'public', subTopic, out);
}

const unsupported = 'Unsupported Media Type. Use application/json or application/octet-stream';

/** Broadcasts one message, to the topic and under the event of the path. */
export async function single(
  request: HttpRequest,
  deps: HttpDeps,
  parts: readonly string[],
): Promise<HttpReply> {
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
  const errors = {
    ...(isBlank(names.topic) ? { topic: [blank] } : {}),
    ...(isBlank(names.event) ? { event: [blank] } : {}),
    ...(messageBytes(out) > deps.maxPayloadBytes ? { payload: [tooLarge] } : {}),
  };
  if (Object.keys(errors).length > 0) return jsonReply(422, { errors });
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
