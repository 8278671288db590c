import pg from 'pg';
import { type Backoff, databaseBackoff, delayBefore } from '../core/backoff.ts';
import { pause } from '../core/lifecycle.ts';
import { type PgFailure, toPgFailure } from './failure.ts';
import { quoteIdent } from './sql/ident.ts';

/** What a listener reports. */
type ListenEvents = {
  readonly onNotification: (payload: string) => void;
  /** The channel is heard; `again` after an interruption in which notifications may have been missed. */
  readonly onLive: (again: boolean) => void;
  /** The channel is not heard; the next attempt comes after the delay. */
  readonly onLost: (failure: PgFailure, retryMs: number) => void;
};

/** Options of a listener. */
export type ListenOptions = ListenEvents & {
  readonly url: string;
  readonly channel: string;
  readonly applicationName: string;
  readonly backoff?: Backoff;
};

/** A subscription to a channel. */
export interface Listener {
  readonly isLive: () => boolean;
  /** Resolves when the connection is closed. */
  stop(): Promise<void>;
}

/** Listens on a channel over a connection of its own, which is made again whenever it is lost. */
export function listen(options: ListenOptions): Listener {
  const stopping = new AbortController();
  const state = { isLive: false };
  const done = keepListening(options, state, stopping.signal);
  return {
    isLive: () => state.isLive,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function keepListening(
  options: ListenOptions,
  state: { isLive: boolean },
  signal: AbortSignal,
): Promise<void> {
  const backoff = options.backoff ?? databaseBackoff;
  let attempt = 0;
  let wasInterrupted = false;
  while (!signal.aborted) {
    const onLive = (): void => {
      attempt = 0;
      state.isLive = true;
      options.onLive(wasInterrupted);
    };
    const failure = await listenOnce(options, onLive, signal);
    state.isLive = false;
    wasInterrupted = true;
    if (failure === null) return;
    attempt++;
    const retryMs = delayBefore(attempt, backoff);
    options.onLost(failure, retryMs);
    await pause(retryMs, signal);
  }
}

const connectTimeoutMs = 10_000;

/** Listens until the connection ends; null when it was closed on purpose. */
async function listenOnce(
  options: ListenOptions,
  onLive: () => void,
  signal: AbortSignal,
): Promise<PgFailure | null> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: options.applicationName,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
  });
  const ended = new Promise<PgFailure>((resolve) => {
    client.once('error', (error) => resolve(toPgFailure(error)));
    client.once('end', () => resolve(toPgFailure(new Error('the connection was closed'))));
  });
  // A second error of the same connection would otherwise go unheard and end the process.
  client.on('error', () => {});
  client.on('notification', ({ payload }) => options.onNotification(payload ?? ''));
  const close = (): void => {
    void client.end().catch(() => {});
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    await client.connect();
    await client.query(`listen ${quoteIdent(options.channel)}`);
    if (!signal.aborted) onLive();
    const failure = await ended;
    return signal.aborted ? null : failure;
  } catch (thrown) {
    return signal.aborted ? null : toPgFailure(thrown);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}
