import type { Frame, Ref, Serializer } from '../socket/frame.ts';
import type { StoredMessage } from './replay.ts';

/** What a channel says to its client. */
export interface Voice {
  reply(ref: Ref, status: 'ok' | 'error', response: string): void;
  /** A message of the channel's own; `payload` is JSON text. */
  push(event: string, payload: string): void;
  system(extension: 'system' | 'postgres_changes', status: 'ok' | 'error', message: string): void;
  /** A stored message, told again. Bytes are left out where the protocol cannot carry them. */
  replay(message: StoredMessage): void;
  /** The orderly end: clients do not come back by themselves. */
  closed(): void;
  /** The end by a fault: clients join again. */
  crashed(): void;
}

/** Where the words go, and under which name. */
export type VoiceOptions = {
  readonly serializer: Serializer;
  readonly topic: string;
  readonly subTopic: string;
  readonly joinRef: Ref;
  readonly send: (frame: Frame) => void;
};

/** Creates the voice of one channel. */
export function createVoice({ serializer, topic, subTopic, joinRef, send }: VoiceOptions): Voice {
  const push = (event: string, payload: string, ref: Ref = null): void =>
    send(serializer.push({ joinRef, ref, topic, event, payload }));
  return {
    push,
    reply: (ref, status, response) => send(serializer.reply({ joinRef, ref, topic, status, response })),
    system: (extension, status, message) =>
      push('system', JSON.stringify({ extension, status, message, channel: subTopic })),
    replay({ id, event, payload, bytes }) {
      const metadata = JSON.stringify({ replayed: true, id });
      if (bytes === null) {
        const name = JSON.stringify(event);
        push('broadcast', `{"event":${name},"payload":${payload},"type":"broadcast","meta":${metadata}}`);
        return;
      }
      const frame = serializer.userBroadcast({ topic, event, encoding: 'binary', data: bytes, metadata });
      if (frame !== null) send(frame);
    },
    closed: () => push('phx_close', '{}', joinRef),
    crashed: () => push('phx_error', '{}', joinRef),
  };
}
