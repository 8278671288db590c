import { z } from 'zod';
import { type HttpReply, type HttpRequest, jsonReply } from '../../http/exchange.ts';
import { type BroadcastMessage, messageBytes } from '../channel/message.ts';
import type { Refusal } from '../errors.ts';
import type { Session } from '../session.ts';
import { authenticate, body, empty, type HttpDeps, message, parseJson, unauthorized } from './request.ts';

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
