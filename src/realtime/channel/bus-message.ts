import { z } from 'zod';
import type { BroadcastMessage } from './message.ts';
import type { PresenceEntry } from './presence.ts';

/* One line of JSON, then the payload's bytes. */

/** What instances tell each other about a topic. */
export type BusMessage =
  | BroadcastMessage
  /** Channels of the sender that track, and channels that do no more. */
  | {
      readonly kind: 'presence';
      readonly tracked: readonly PresenceEntry[];
      readonly untracked: readonly string[];
    }
  /** The sender has just opened the topic and wants to know who is there. */
  | { readonly kind: 'presence-request' };

const entry = z.object({
  member: z.string(),
  key: z.string(),
  meta: z.object({ phxRef: z.string(), previous: z.string().nullable(), payload: z.string() }),
});

const head = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('object') }),
  z.object({
    kind: z.literal('user'),
    event: z.string(),
    encoding: z.enum(['json', 'binary']),
    id: z.string().nullable(),
  }),
  z.object({ kind: z.literal('presence'), tracked: z.array(entry), untracked: z.array(z.string()) }),
  z.object({ kind: z.literal('presence-request') }),
]);

const newline = 0x0a;

/** A message as it travels between instances. */
export function encodeBusMessage(message: BusMessage): Buffer {
  switch (message.kind) {
    case 'object':
      return Buffer.from(`{"kind":"object"}\n${message.payload}`);
    case 'user': {
      const { kind, event, encoding, id } = message;
      return Buffer.concat([Buffer.from(`${JSON.stringify({ kind, event, encoding, id })}\n`), message.data]);
    }
    case 'presence':
    case 'presence-request':
      return Buffer.from(`${JSON.stringify(message)}\n`);
  }
}

/** Reads what another instance sent; null for bytes that are no message. */
export function decodeBusMessage(bytes: Buffer): BusMessage | null {
  const end = bytes.indexOf(newline);
  if (end === -1) return null;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', 0, end));
  } catch {
    // Written by something else than an instance of this version; the bus is not ours alone.
    return null;
  }
  const parsed = head.safeParse(value);
  if (!parsed.success) return null;
  const rest = bytes.subarray(end + 1);
  switch (parsed.data.kind) {
    case 'object':
      return { kind: 'object', payload: rest.toString('utf8') };
    case 'user':
      return { ...parsed.data, data: rest };
    case 'presence':
    case 'presence-request':
      return parsed.data;
  }
}
