import { z } from 'zod';

/*
 * One line of JSON, then messages of the stream as the server sent them, each after its length in four bytes.
 *
 *   leader                                      follower
 *      | <----------- hello -------------------- |   on start, and whenever something was missed
 *      | ----------- welcome ------------------> |   from here on everything is sent
 *      | ----------- start --------------------> |   the stream begins anew; what went out is sent again
 *      | ----------- data, data, ... ----------> |
 *      | ----------- beat ---------------------> |   every second
 *      | <----------- ack ---------------------- |
 *      | ----------- over ---------------------> |   somebody else may lead
 */

const lsn = z.string().transform(BigInt);
const stream = { epoch: z.string(), seq: z.number().int() };
const names = z.array(z.string());

const head = z.discriminatedUnion('kind', [
  /**
   * `isNew`: the slot was made anew, so changes may have been missed, and positions start over.
   * `confirmed`: where the stream begins; who had not come so far has missed something.
   */
  z.object({
    ...{ kind: z.literal('start'), epoch: z.string(), isNew: z.boolean(), confirmed: lsn },
    publications: names,
  }),
  z.object({ kind: z.literal('data'), ...stream }),
  /** Everything up to `lsn` is in what was sent up to `seq`. */
  z.object({ kind: z.literal('beat'), ...stream, lsn }),
  /** Everything after `lsn` will be sent. The messages are the relations that were announced so far. */
  z.object({
    ...{ kind: z.literal('welcome'), to: z.string(), ...stream },
    ...{ lsn, hasGap: z.boolean(), publications: names },
  }),
  z.object({ kind: z.literal('over'), epoch: z.string() }),
  /** `lsn`: up to where the follower has dealt with the stream; null for one that has just come up. */
  z.object({ kind: z.literal('hello'), from: z.string(), lsn: lsn.nullable() }),
  z.object({ kind: z.literal('ack'), from: z.string(), ...stream, lsn }),
  z.object({ kind: z.literal('restart'), from: z.string() }),
  z.object({ kind: z.literal('bye'), from: z.string() }),
]);

type Head = z.infer<typeof head>;

/** What leader and followers tell each other about the stream. */
export type RelayMessage = Head & { readonly messages: readonly Buffer[] };

/** What a follower says. */
export type FollowerWord = Extract<Head, { from: string }>;
/** What the leader says. */
export type LeaderWord = Exclude<Head, { from: string }>;

/** Subjects of both directions. */
export const relaySubjects = { fromLeader: 'realtime.feed', toLeader: 'realtime.feed.leader' } as const;

const newline = 0x0a;
const lengthBytes = 4;

/** A message as it travels. */
export function encodeRelay(word: Head, messages: readonly Buffer[] = []): Buffer {
  const line = JSON.stringify(word, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
  const parts: Buffer[] = [Buffer.from(`${line}\n`)];
  for (const message of messages) {
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt32BE(message.length);
    parts.push(length, message);
  }
  return Buffer.concat(parts);
}

/** Reads what another instance sent; null for bytes that are no message. */
export function decodeRelay(bytes: Buffer): RelayMessage | null {
  const end = bytes.indexOf(newline);
  const parsed = head.safeParse(end === -1 ? null : jsonOrNull(bytes.toString('utf8', 0, end)));
  if (!parsed.success) return null;
  const messages: Buffer[] = [];
  for (let at = end + 1; at < bytes.length; ) {
    if (at + lengthBytes > bytes.length) return null;
    const length = bytes.readUInt32BE(at);
    at += lengthBytes;
    if (at + length > bytes.length) return null;
    messages.push(bytes.subarray(at, at + length));
    at += length;
  }
  return { ...parsed.data, messages };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Written by something else than an instance of this version; the bus is not ours alone.
    return null;
  }
}
