import { z } from 'zod';
import type { BroadcastMessage } from './message.ts';

/* One line of JSON, then the payload's bytes. */

const head = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('object') }),
  z.object({
    kind: z.literal('user'),
    event: z.string(),
    encoding: z.enum(['json', 'binary']),
    id: z.string().nullable(),
  }),
]);

const newline = 0x0a;

/** A broadcast as it travels between instances. */
export function encodeBusMessage(message: BroadcastMessage): Buffer {
  if (message.kind === 'object') return Buffer.from(`{"kind":"object"}\n${message.payload}`);
  const { kind, event, encoding, id } = message;
  return Buffer.concat([Buffer.from(`${JSON.stringify({ kind, event, encoding, id })}\n`), message.data]);
}

/** Reads what another instance sent; null for bytes that are not a broadcast. */
export function decodeBusMessage(bytes: Buffer): BroadcastMessage | null {
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
  return parsed.data.kind === 'object'
    ? { kind: 'object', payload: rest.toString('utf8') }
    : { ...parsed.data, data: rest };
}
