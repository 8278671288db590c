import { type Frame, frameJson, type Inbound, isRef, type Ref, type Serializer, textFrame } from './frame.ts';

function decode(data: Buffer): Inbound | null {
  const parsed = frameJson(data);
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { topic, event, ref, join_ref: joinRef = null, payload = {} } = parsed as Record<string, unknown>;
  if (typeof topic !== 'string' || typeof event !== 'string' || !isRef(ref) || !isRef(joinRef)) return null;
  return { joinRef, ref, topic, event, payload: { kind: 'json', value: payload } };
}

const frame = (topic: string, event: string, payload: string, ref: Ref): Frame =>
  textFrame(
    `{"topic":${JSON.stringify(topic)},"event":${JSON.stringify(event)},"payload":${payload},"ref":${JSON.stringify(ref)}}`,
  );

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

/**
 * Protocol 1.0.0: JSON objects of topic, event, payload and ref. Bytes cannot be carried.
 * Upstream: phoenix Phoenix.Socket.V1.JSONSerializer.
 */
export const serializerV1: Serializer = {
  version: 1,
  decode: (data, isBinary) => (isBinary ? null : decode(data)),
  reply: ({ topic, ref, status, response }) =>
    frame(topic, 'phx_reply', `{"status":"${status}","response":${response}}`, ref),
  push: ({ topic, event, payload, ref }) => frame(topic, event, payload, ref),
  userBroadcast({ topic, event, encoding, data, metadata }) {
    if (encoding === 'binary') return null;
    const text = data.toString('utf8');
    // The sender only claims that this is JSON; spliced in unchecked it could close our object and open its own.
    if (!isJson(text)) return null;
    const meta = metadata === null ? '' : `,"meta":${metadata}`;
    const payload = `{"event":${JSON.stringify(event)},"payload":${text},"type":"broadcast"${meta}}`;
    return frame(topic, 'broadcast', payload, null);
  },
};
