import type { Client } from 'pg';
import { LogicalReplicationService } from 'pg-logical-replication';
import { toPgFailure } from '../../pg/failure.ts';
import { quoteIdent } from '../../pg/sql/ident.ts';
import { formatLsn, parseLsn } from './lsn.ts';
import { createStreamDecoder, type StreamMessage, type WantsTable } from './pgoutput.ts';
import { feedApplicationName } from './slot.ts';

/** What a stream needs. */
export type StreamOptions = {
  readonly url: string;
  readonly slot: string;
  readonly publications: readonly string[];
  readonly wants: WantsTable;
  /** Gets the messages in order, as decoded and as sent; the stream waits for it. */
  readonly onMessage: (message: StreamMessage, raw: Buffer) => Promise<void> | void;
  /** Whether what was sent is kept beyond the call. */
  readonly keepsRaw: boolean;
  /** The server's position while it has nothing to send. */
  readonly onIdle: (lsn: bigint) => void;
  readonly onLive: () => void;
  /** How often the server is told, in milliseconds. */
  readonly statusMs: number;
  /** Highest position that was dealt with; asked for whenever the server is told. */
  readonly processed: () => bigint;
};

/** A running stream. */
export interface Stream {
  /** Resolves never; rejects with `PgFailure` or `RangeError` when the stream ends by itself. */
  readonly ended: Promise<never>;
  /** Tells the server what was dealt with. */
  acknowledge(): void;
  /** Position of the last message that arrived. */
  received(): bigint;
  stop(): Promise<void>;
}

/** Formats that values are printed in, whatever the server's or the role's settings say. */
const sessionOptions = [
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO'],
  ['IntervalStyle', 'postgres'],
  ['extra_float_digits', '1'],
  ['bytea_output', 'hex'],
]
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/** While others write, the server tells its position often; it is answered at most this often. */
const idleStatusMs = 1_000;
/** The server sends a sign of life at least every half minute; without one for this long the line is dead. */
const silenceMs = 90_000;

/** What the library calls to start the stream and to decode it. */
type Plugin = {
  readonly name: string;
  readonly options: null;
  /** Messages that were received and are not dealt with yet. */
  pending: number;
  start(client: Client, slot: string): Promise<unknown>;
  parse(buffer: Buffer): Received;
};

type Received = { readonly message: StreamMessage | RangeError; readonly raw: Buffer };

function createPlugin({ publications, wants, keepsRaw }: StreamOptions): Plugin {
  const decode = createStreamDecoder(wants);
  return {
    name: 'pgoutput',
    options: null,
    pending: 0,
    start(client, slot) {
      const names = publications.map(quoteIdent).join(',').replaceAll("'", "''");
      // Replication commands take no parameters, and only capitals; both names are quoted and come from the configuration.
      return client.query(
        `START_REPLICATION SLOT ${quoteIdent(slot)} LOGICAL 0/0 (proto_version '1', publication_names '${names}')`,
      );
    },
    // A decoding error must not escape into the socket's event handler: it travels as a value.
    parse(buffer) {
      this.pending++;
      // The driver reads into the same memory again.
      const raw = keepsRaw ? Buffer.from(buffer) : buffer;
      try {
        return { message: decode(buffer), raw };
      } catch (thrown) {
        return { message: thrown instanceof RangeError ? thrown : new RangeError(String(thrown)), raw };
      }
    },
  };
}

/** Starts to read the slot. */
export function openStream(options: StreamOptions): Stream {
  const service = new LogicalReplicationService(
    {
      connectionString: options.url,
      application_name: feedApplicationName,
      options: sessionOptions,
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    },
    { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: true } },
  );
  const plugin = createPlugin(options);
  let lastSign = Date.now();
  let lastAcknowledged = 0;
  const acknowledge = (): void => {
    lastAcknowledged = Date.now();
    const lsn = options.processed();
    // The library announces the position after the one that it is given.
    if (lsn > 0n && !service.isStop()) void service.acknowledge(formatLsn(lsn - 1n)).catch(() => {});
  };
  const timer = setInterval(() => {
    acknowledge();
    if (plugin.pending === 0 && Date.now() - lastSign > silenceMs)
      service.emit('error', new Error('the server fell silent'));
  }, options.statusMs);

  const ended = new Promise<never>((_, reject) => {
    // The library awaits what the listener returns, and reads on when it has settled.
    const onData = async (_lsn: string, { message, raw }: Received): Promise<void> => {
      try {
        if (message instanceof RangeError) throw message;
        await options.onMessage(message, raw);
      } catch (failure) {
        reject(failure);
      } finally {
        plugin.pending--;
        lastSign = Date.now();
      }
    };
    service.on('error', (thrown: Error) =>
      reject(thrown instanceof RangeError ? thrown : toPgFailure(thrown)),
    );
    service.on('start', options.onLive);
    // biome-ignore lint/nursery/noMisusedPromises: this emitter awaits its listeners, and onData never rejects
    service.on('data', onData);
    service.on('heartbeat', (lsn: string, _time: number, mustAnswer: boolean) => {
      lastSign = Date.now();
      // A sign of life overtakes the messages that still wait in the library's queue.
      if (plugin.pending === 0) options.onIdle(parseLsn(lsn));
      if (mustAnswer || Date.now() - lastAcknowledged > idleStatusMs) acknowledge();
    });
    service.subscribe(plugin, options.slot).then(
      () => reject(toPgFailure(new Error('the stream ended'))),
      (thrown: unknown) => reject(toPgFailure(thrown)),
    );
  });
  // Whoever stops the stream does not wait for its end.
  ended.catch(() => {});

  return {
    ended,
    acknowledge,
    received: () => parseLsn(service.lastLsn()),
    async stop() {
      clearInterval(timer);
      try {
        await service.destroy();
      } catch {
        // The connection was already gone.
      }
    },
  };
}
