import { randomBytes } from 'node:crypto';
import { createClient } from '@redis/client';
import type { Bus } from './bus.ts';
import { createListeners } from './listeners.ts';

/** Which broker, under which names, and whom to tell about the connection. */
export type BrokerOptions = {
  readonly url: string;
  /** What the subjects of this project begin with; brokers may be shared. */
  readonly prefix: string;
  readonly onLost: (reason: string) => void;
  readonly onHealed: () => void;
};

const maxRetryMs = 1_000;
const idBytes = 12;

/*
 * Redis sends a publisher its own messages, so each begins with the id of its instance. Two connections: one that
 * listens, and one that publishes, since a listening one can do nothing else.
 */

/** Joins instances by the pub/sub of Redis or Valkey. Resolves at once; the connection is made in the background. */
export function createRedisBus(options: BrokerOptions): Bus {
  const id = randomBytes(idBytes);
  const nameOf = (subject: string): string => `${options.prefix}.${subject}`;
  const socket = { reconnectStrategy: (tries: number) => Math.min(maxRetryMs, 50 * 2 ** tries) };
  // What cannot be published now is dropped: queued, it would arrive after everybody has made up for it.
  const publisher = createClient({ url: options.url, socket, disableOfflineQueue: true });
  const subscriber = createClient({ url: options.url, socket });
  const healed = new Set<() => void>();
  let isLost = false;
  let isClosed = false;

  /** The client loses a subscription that is made before the end of the former one is confirmed. */
  const last = new Map<string, Promise<void>>();
  const afterLast = (subject: string, step: () => Promise<void>): void => {
    // Fails when the bus is closed; a broken connection subscribes again by itself.
    const running = (last.get(subject) ?? Promise.resolve()).then(step).catch(() => {});
    last.set(subject, running);
    void running.then(() => {
      if (last.get(subject) === running) last.delete(subject);
    });
  };
  const listeners = createListeners({
    open: (subject, onReady) =>
      afterLast(subject, async () => {
        await subscriber.subscribe(nameOf(subject), (message: Buffer) => receive(subject, message), true);
        onReady();
      }),
    close: (subject) => afterLast(subject, () => subscriber.unsubscribe(nameOf(subject))),
  });
  const receive = (subject: string, message: Buffer): void => {
    if (message.length >= idBytes && !message.subarray(0, idBytes).equals(id)) {
      listeners.deliver(subject, message.subarray(idBytes));
    }
  };
  const onError = (error: Error): void => {
    if (isLost || isClosed) return;
    isLost = true;
    options.onLost(error.message);
  };
  const onReady = (): void => {
    if (!isLost || !publisher.isReady || !subscriber.isReady) return;
    isLost = false;
    options.onHealed();
    for (const listener of healed) listener();
  };
  for (const client of [publisher, subscriber]) {
    client.on('error', onError);
    client.on('ready', onReady);
    // Failed tries are reported as errors, and repeated until the bus is closed.
    client.connect().catch(() => {});
  }
  return {
    isShared: true,
    publish(subject, message) {
      if (publisher.isReady && !isClosed)
        publisher.publish(nameOf(subject), Buffer.concat([id, message])).catch(() => {});
    },
    subscribe: (subject, receiveMessage, whenReady) => listeners.add(subject, receiveMessage, whenReady),
    onHealed(listener) {
      healed.add(listener);
      return () => healed.delete(listener);
    },
    async close() {
      isClosed = true;
      for (const client of [publisher, subscriber]) client.destroy();
    },
  };
}
