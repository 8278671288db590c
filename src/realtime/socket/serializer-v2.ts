import {
  type Frame,
  frameJson,
  type Inbound,
  isRef,
  maxFieldBytes,
  type Serializer,
  textFrame,
  type UserBroadcast,
} from './frame.ts';

/*
 * Text frame    [join_ref, ref, topic, event, payload]
 *
 * Binary frame  one byte of kind, one byte per length, the fields in the order of their lengths, then the payload
 *   0 push            client -> server   joinRef ref topic event                                | bytes
 *   3 user broadcast  client -> server   joinRef ref topic userEvent metadata; encoding byte    | payload
 *   4 user broadcast  server -> client   topic userEvent metadata; encoding byte                | payload
 */

const kinds = { push: 0, userBroadcastPush: 3, userBroadcast: 4 } as const;

function decodeText(data: Buffer): Inbound | null {
  const parsed = frameJson(data);
  if (!Array.isArray(parsed) || parsed.length < 5) return null;
  const [joinRef, ref, topic, event, payload] = parsed as unknown[];
  if (typeof topic !== 'string' || typeof event !== 'string' || !isRef(ref) || !isRef(joinRef)) return null;
  return { joinRef, ref, topic, event, payload: { kind: 'json', value: payload } };
}

/** Cuts the fields whose lengths stand in the header; null when the frame is shorter than it says. */
function cutFields(
  data: Buffer,
  lengths: readonly number[],
  start: number,
): { texts: string[]; rest: Buffer } | null {
  const texts: string[] = [];
  let at = start;
  for (const length of lengths) {
    texts.push(data.toString('utf8', at, at + length));
    at += length;
  }
  return at > data.length ? null : { texts, rest: data.subarray(at) };
}

function decodeBinary(data: Buffer): Inbound | null {
  const kind = data[0];
  const isPush = kind === kinds.push;
  if (!isPush && kind !== kinds.userBroadcastPush) return null;
  const lengthCount = isPush ? 4 : 5;
  const start = isPush ? 5 : 7;
  if (data.length < start) return null;
  const cut = cutFields(data, [...data.subarray(1, 1 + lengthCount)], start);
  if (cut === null) return null;
  const [joinRef = '', ref = '', topic = '', event = ''] = cut.texts;
  const head = { joinRef: joinRef === '' ? null : joinRef, ref: ref === '' ? null : ref, topic };
  if (isPush) return { ...head, event, payload: { kind: 'json', value: {} } };
  const encoding = data[6] === 0 ? 'binary' : 'json';
  return {
    ...head,
    event: 'broadcast',
    payload: { kind: 'user-broadcast', event, encoding, data: cut.rest },
  };
}

function encodeUserBroadcast(broadcast: UserBroadcast): Frame | null {
  const fields = [broadcast.topic, broadcast.event, broadcast.metadata ?? ''].map((text) =>
    Buffer.from(text, 'utf8'),
  );
  if (fields.some((field) => field.length > maxFieldBytes)) return null;
  const header = Buffer.from([
    kinds.userBroadcast,
    ...fields.map((field) => field.length),
    broadcast.encoding === 'json' ? 1 : 0,
  ]);
  return { data: Buffer.concat([header, ...fields, broadcast.data]), isBinary: true };
}

/**
 * Protocol 2.0.0: JSON arrays, and binary frames for broadcasts.
 * Upstream: supabase/realtime lib/realtime_web/socket/v2_serializer.ex.
 */
export const serializerV2: Serializer = {
  version: 2,
  decode: (data, isBinary) => (isBinary ? decodeBinary(data) : decodeText(data)),
  reply: ({ joinRef, ref, topic, status, response }) =>
    textFrame(
      `[${JSON.stringify(joinRef)},${JSON.stringify(ref)},${JSON.stringify(topic)},"phx_reply",{"status":"${status}","response":${response}}]`,
    ),
  push: ({ joinRef, ref, topic, event, payload }) =>
    textFrame(
      `[${JSON.stringify(joinRef)},${JSON.stringify(ref)},${JSON.stringify(topic)},${JSON.stringify(event)},${payload}]`,
    ),
  userBroadcast: encodeUserBroadcast,
};
