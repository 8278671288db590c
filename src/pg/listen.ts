import pg from 'pg';
import { type Backoff, databaseBackoff, delayBefore } from '../core/backoff.ts';
import { pause } from '../core/lifecycle.ts';
import { type ConnectionTargets, type SessionKind, toTargets } from './connection-string.ts';
import { type PgFailure, toPgFailure } from './failure.ts';
import { checkSession } from './session-kind.ts';
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
  /** One server, or several of which the first is used that can be reached and that is of the kind. */
  readonly url: string | ConnectionTargets;
  readonly channel: string;
  /** Name of the session; `fallback` gives way to a name that the connection string or `PGAPPNAME` has. */
  readonly applicationName: string | { readonly fallback: string };
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

/** Listens on the first server that takes the connection; null when that was closed on purpose. */
async function listenOnce(
  options: ListenOptions,
  onLive: () => void,
  signal: AbortSignal,
): Promise<PgFailure | null> {
  const { urls, kind } = toTargets(options.url);
  let first: PgFailure | null = null;
  for (const url of urls) {
    let wasLive = false;
    const markLive = (): void => {
      wasLive = true;
      onLive();
    };
    const failure = await listenAt({ ...options, url, kind }, markLive, signal);
    if (failure === null || wasLive) return failure;
    // The first server's reason tells more than that the same one has no TLS.
    first ??= failure;
  }
  return first;
}

const rejectWith = (failure: PgFailure): never => {
  throw failure;
};

/** Listens until the connection ends. */
async function listenAt(
  options: ListenOptions & { readonly url: string; readonly kind: SessionKind },
  onLive: () => void,
  signal: AbortSignal,
): Promise<PgFailure | null> {
  const { applicationName } = options;
  const client = new pg.Client({
    connectionString: options.url,
    ...(typeof applicationName === 'string'
      ? { application_name: applicationName }
      : { fallback_application_name: applicationName.fallback }),
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
    // The driver never answers about a connection that is ended while it is made.
    await Promise.race([client.connect(), ended.then(rejectWith)]);
    await checkSession(client, options.kind);
    await client.query(`LISTEN ${quoteIdent(options.channel)}`);
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
