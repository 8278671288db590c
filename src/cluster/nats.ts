import {
  type ConnectionOptions,
  connect,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import type { Bus } from './bus.ts';
import { createAssembler, toFrames } from './fragments.ts';
import { createListeners } from './listeners.ts';
import type { BrokerOptions } from './redis.ts';

const retryMs = 200;
const firstRetryMs = 1_000;
/** A server that does not answer this often, at this interval, is given up for a new connection. */
const ping = { pingInterval: 10_000, maxPingOut: 2 };

/** Joins instances by the core subjects of NATS. Resolves at once; the connection is made in the background. */
export function createNatsBus(options: BrokerOptions): Bus {
  const nameOf = (subject: string): string => `${options.prefix}.${subject}`;
  const healed = new Set<() => void>();
  const subscriptions = new Map<string, Subscription>();
  const waiting = new Map<string, () => void>();
  let connection: NatsConnection | null = null;
  let isUp = false;
  let isClosed = false;

  const listeners = createListeners({
    open(subject, onReady) {
      if (connection === null) waiting.set(subject, onReady);
      else listen(connection, subject, onReady);
    },
    close(subject) {
      waiting.delete(subject);
      subscriptions.get(subject)?.unsubscribe();
      subscriptions.delete(subject);
    },
  });
  const listen = (nats: NatsConnection, subject: string, onReady: () => void): void => {
    const assemble = createAssembler();
    const callback = (error: Error | null, { data }: { data: Uint8Array }): void => {
      if (error !== null) return;
      const message = assemble(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      if (message !== null) listeners.deliver(subject, message);
    };
    subscriptions.set(subject, nats.subscribe(nameOf(subject), { callback }));
    // The answer to a ping comes after the server has made the subscription.
    void nats.flush().then(onReady, () => {});
  };
  const follow = async (nats: NatsConnection): Promise<void> => {
    for await (const status of nats.status()) {
      if (status.type === 'disconnect' && isUp) {
        isUp = false;
        if (!isClosed) options.onLost('the server closed the connection');
      }
      if (status.type === 'reconnect') {
        isUp = true;
        options.onHealed();
        for (const listener of healed) listener();
      }
    }
  };
  const start = async (): Promise<void> => {
    const nats = await firstConnection(options, () => isClosed);
    if (nats === null) return;
    if (isClosed) return nats.close();
    connection = nats;
    isUp = true;
    for (const [subject, onReady] of waiting) listen(nats, subject, onReady);
    waiting.clear();
    await follow(nats);
  };
  const started = start().catch((error: unknown) => options.onLost(String(error)));
  return {
    isShared: true,
    publish(subject, message) {
      // While it is lost, the library would keep messages for later, when everybody has made up for them.
      if (connection === null || !isUp || isClosed) return;
      const { max_payload: maxBytes } = connection.info ?? { max_payload: 1024 ** 2 };
      for (const frame of toFrames(message, maxBytes)) connection.publish(nameOf(subject), frame);
    },
    subscribe: (subject, receive, onReady) => listeners.add(subject, receive, onReady),
    onHealed(listener) {
      healed.add(listener);
      return () => healed.delete(listener);
    },
    async close() {
      isClosed = true;
      await connection?.close();
      if (connection !== null) await started;
    },
  };
}

/** Tries until there is a server; null when the bus was closed meanwhile. */
async function firstConnection(
  { url, onLost, onHealed }: BrokerOptions,
  isClosed: () => boolean,
): Promise<NatsConnection | null> {
  let isReported = false;
  while (!isClosed()) {
    try {
      const connection = await connect(connectionOptions(new URL(url)));
      if (isReported) onHealed();
      return connection;
    } catch (failure) {
      if (!isReported) onLost(failure instanceof Error ? failure.message : String(failure));
      isReported = true;
      await new Promise((resolve) => setTimeout(resolve, firstRetryMs).unref());
    }
  }
  return null;
}

function connectionOptions(url: URL): ConnectionOptions {
  const [user, pass] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const login = user === '' ? {} : pass === '' ? { token: user } : { user, pass };
  return {
    servers: url.host,
    ...login,
    ...(url.protocol === 'tls:' ? { tls: {} } : {}),
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: retryMs,
    ...ping,
  };
}
