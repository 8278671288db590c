import type { BroadcastMessage, Space } from '../channel/message.ts';
import type { Change } from './model.ts';

/** A stored message with the topic that it is for. */
export type StoredBroadcast = {
  readonly space: Space;
  readonly subTopic: string;
  readonly message: BroadcastMessage;
};

/**
 * The broadcast that a row of `realtime.messages` stands for; null for rows that are none: probes, updates, and rows
 * without topic, event or payload.
 */
export function toBroadcast({ kind, row }: Change): StoredBroadcast | null {
  if (kind !== 'INSERT' || row === null) return null;
  const text = (name: string): string | null => row.get(name) ?? null;
  const [topic, event, isPrivate, id] = [text('topic'), text('event'), text('private'), text('id')];
  if (topic === null || event === null || isPrivate === null || id === null) return null;
  const payload = text('payload');
  const bytes = text('binary_payload');
  const data =
    payload !== null
      ? ({ encoding: 'json', data: Buffer.from(payload) } as const)
      : bytes !== null
        ? ({ encoding: 'binary', data: Buffer.from(bytes.slice('\\x'.length), 'hex') } as const)
        : null;
  if (data === null) return null;
  return {
    space: isPrivate === 't' ? 'private' : 'public',
    subTopic: topic,
    message: { kind: 'user', event, id, ...data },
  };
}
