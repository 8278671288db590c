import { setTimeout as delay } from 'node:timers/promises';
import type { Observer } from '../../core/observe.ts';
import { PgFailure } from '../../pg/failure.ts';
import { type ChangeSink, Consumer } from './consumer.ts';
import { createOwnerDb, type OwnerDb } from './owner-db.ts';
import type { Relations } from './relations.ts';
import { createSlot, defaultSlotName, dropSlot, existingPublications, readSlot, slotAction } from './slot.ts';
import { openStream } from './stream.ts';

/*
 *             slot made or found                stream started
 *   waiting ---------------------> connecting -----------------> live
 *      ^                               |                          |
 *      +------ back-off, jitter -------+--------- lost -----------+
 *
 * The slot is durable: what is committed while the stream is away is delivered when it is back. Only when the slot
 * itself was lost is there a gap, which `onGap` announces.
 */

/** What the feed needs. */
export type FeedOptions = {
  /** Login of the owner, with the right to replicate. */
  readonly ownerUrl: string;
  readonly slotName: string | null;
  readonly maxLagBytes: number;
  readonly publications: readonly string[];
  readonly relations: Relations;
  readonly sink: ChangeSink;
  readonly wants: (schema: string, table: string) => boolean;
  /** The slot was made anew: changes may have been missed. */
  readonly onGap: () => void;
  readonly observer: Observer;
};

/** The consumer of the database's changes. */
export interface Feed {
  /** Keeps the stream running until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the stream is live; rejects with the signal's reason. */
  live(signal: AbortSignal): Promise<void>;
  readonly isLive: boolean;
  /** Starts the stream anew, as after a publication was made. */
  restart(): void;
  /** Publications that the running stream reads. */
  readonly publications: readonly string[];
}

const limits = { maxRows: 500, maxBytes: 1024 ** 2 };
const firstDelayMs = 100;
const maxDelayMs = 5_000;
const undefinedObject = '42704';
const statesOfLostSlot = new Set([undefinedObject, '55000']);

/** Creates the feed. */
export function createFeed(options: FeedOptions): Feed {
  const waiters = new Set<() => void>();
  let isLive = false;
  let everLive = false;
  let mustRecreate = false;
  let publications: readonly string[] = [];
  let restarts = new AbortController();
  let delivered = { lsn: 0n, index: -1 };

  const setLive = (value: boolean): void => {
    isLive = value;
    if (!value) return;
    everLive = true;
    for (const wake of waiters) wake();
    waiters.clear();
  };

  const attempt = async (signal: AbortSignal): Promise<void> => {
    const slotDb = createOwnerDb(options.ownerUrl);
    let slot: Slot;
    try {
      slot = await prepareSlot(slotDb, options, mustRecreate);
    } finally {
      await slotDb.close();
    }
    mustRecreate = false;
    publications = slot.publications;
    options.relations.clear();
    let fail: (failure: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const consumer = new Consumer(
      {
        relations: options.relations,
        sink: options.sink,
        onFailure: fail,
        limits,
        onProgress(changes) {
          stream.acknowledge();
          if (changes > 0) options.observer({ kind: 'feed-progress', lagBytes: 0, changes });
        },
      },
      delivered,
    );
    const stream = openStream({
      url: options.ownerUrl,
      slot: slot.name,
      publications,
      wants: options.wants,
      onMessage: (message) => consumer.handle(message),
      onIdle: (lsn) => consumer.idle(lsn),
      processed: () => consumer.processed,
      onLive() {
        const isGap = slot.isNew && everLive;
        setLive(true);
        if (isGap) options.onGap();
      },
    });
    try {
      await Promise.race([stream.ended, failed, aborted(signal)]);
    } finally {
      isLive = false;
      await consumer.settle();
      stream.acknowledge();
      delivered = consumer.delivered;
      await stream.stop();
    }
  };

  return {
    get isLive() {
      return isLive;
    },
    get publications() {
      return publications;
    },
    restart: () => restarts.abort(),
    live: (signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        if (isLive) {
          resolve();
          return;
        }
        const onAbort = (): void => {
          waiters.delete(wake);
          reject(signal.reason);
        };
        const wake = (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiters.add(wake);
      }),
    async run(signal) {
      let delayMs = firstDelayMs;
      while (!signal.aborted) {
        restarts = new AbortController();
        const wasLiveAt = Date.now();
        try {
          await attempt(AbortSignal.any([signal, restarts.signal]));
          delayMs = firstDelayMs;
        } catch (failure) {
          mustRecreate = failure instanceof PgFailure && statesOfLostSlot.has(failure.sqlstate) && everLive;
          options.observer(noticeOf(failure));
          if (Date.now() - wasLiveAt > maxDelayMs) delayMs = firstDelayMs;
          await pause(delayMs * (0.5 + Math.random() / 2), signal);
          delayMs = Math.min(maxDelayMs, delayMs * 2);
        }
      }
    },
  };
}

type Slot = { readonly name: string; readonly isNew: boolean; readonly publications: readonly string[] };

async function prepareSlot(db: OwnerDb, options: FeedOptions, mustRecreate: boolean): Promise<Slot> {
  const publications = await existingPublications(db, options.publications);
  if (publications.length === 0) throw new Error('there is no publication to read');
  const name = options.slotName ?? (await defaultSlotName(db));
  const state = await readSlot(db, name);
  const action =
    mustRecreate && state !== null && !state.isActive ? 'recreate' : slotAction(state, options.maxLagBytes);
  if (action === 'wait') throw new Error('the replication slot is in use by another process');
  if (action === 'recreate') await dropSlot(db, name);
  if (action !== 'use') await createSlot(db, name);
  return { name, publications, isNew: action !== 'use' };
}

const noticeOf = (failure: unknown): Parameters<Observer>[0] => ({
  kind: 'notice',
  service: 'realtime',
  level: 'warn',
  message: 'the change feed is down and will be started again',
  fields: {
    reason: failure instanceof Error ? failure.message : String(failure),
    sqlstate: failure instanceof PgFailure ? failure.sqlstate : null,
  },
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // The signal ends the pause.
  }
}
