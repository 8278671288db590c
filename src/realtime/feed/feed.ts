import { setTimeout as delay } from 'node:timers/promises';
import type { Observer } from '../../core/observe.ts';
import { PgFailure } from '../../pg/failure.ts';
import { type ChangeSink, Consumer, type Mark } from './consumer.ts';
import { createLiveness, type Liveness } from './liveness.ts';
import { createOwnerDb, type OwnerDb } from './owner-db.ts';
import type { Relations } from './relations.ts';
import {
  createSlot,
  currentPosition,
  defaultSlotName,
  dropSlot,
  existingPublications,
  hasSlotGuard,
  readSlot,
  slotAction,
} from './slot.ts';
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
  /** Where the log ended when this instance first reached the database; 0 before. */
  readonly firstPosition: bigint;
}

const limits = { maxRows: 500, maxBytes: 1024 ** 2 };
const firstDelayMs = 100;
const maxDelayMs = 5_000;
const undefinedObject = '42704';
const objectNotInPrerequisiteState = '55000';

/** What one attempt leaves to the next. */
type FeedState = {
  readonly liveness: Liveness;
  publications: readonly string[];
  firstPosition: bigint;
  /** The slot cannot be used any more, though it is there. */
  mustRecreate: boolean;
  /** Last change that went out. */
  delivered: Mark;
};

/** Creates the feed. */
export function createFeed(options: FeedOptions): Feed {
  const liveness = createLiveness();
  const state: FeedState = {
    liveness,
    publications: [],
    firstPosition: 0n,
    mustRecreate: false,
    delivered: { lsn: 0n, index: -1 },
  };
  let restarts = new AbortController();
  return {
    get isLive() {
      return liveness.isLive;
    },
    get publications() {
      return state.publications;
    },
    get firstPosition() {
      return state.firstPosition;
    },
    restart: () => restarts.abort(),
    live: (signal) => liveness.wait(signal),
    async run(signal) {
      let delayMs = firstDelayMs;
      while (!signal.aborted) {
        restarts = new AbortController();
        const startedAt = Date.now();
        try {
          await attempt(options, state, AbortSignal.any([signal, restarts.signal]));
          delayMs = firstDelayMs;
        } catch (failure) {
          state.mustRecreate = liveness.wasLive && isSlotUnusable(failure);
          options.observer(noticeOf(failure));
          if (Date.now() - startedAt > maxDelayMs) delayMs = firstDelayMs;
          await pause(delayMs * (0.5 + Math.random() / 2), signal);
          delayMs = Math.min(maxDelayMs, delayMs * 2);
        }
      }
    },
  };
}

/** A publication that did not exist when older changes were made, or a slot that the server has invalidated. */
const isSlotUnusable = (failure: unknown): boolean =>
  failure instanceof PgFailure && [undefinedObject, objectNotInPrerequisiteState].includes(failure.sqlstate);

async function attempt(options: FeedOptions, state: FeedState, signal: AbortSignal): Promise<void> {
  const slotDb = createOwnerDb(options.ownerUrl);
  try {
    if (state.firstPosition === 0n) state.firstPosition = await currentPosition(slotDb);
    const slot = await prepareSlot(slotDb, options, state.mustRecreate);
    await slotDb.close();
    state.mustRecreate = false;
    state.publications = slot.publications;
    options.relations.clear();
    await stream(slot, options, state, signal);
  } finally {
    await slotDb.close();
  }
}

/** Reads the slot until the signal; rejects when the stream or the sink fails. */
async function stream(
  slot: Slot,
  options: FeedOptions,
  state: FeedState,
  signal: AbortSignal,
): Promise<void> {
  const { liveness } = state;
  let fail: (failure: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const { relations, sink } = options;
  const onProgress = (changes: number): void => {
    running.acknowledge();
    if (changes === 0) return;
    const lag = running.received() - consumer.processed;
    options.observer({ kind: 'feed-progress', lagBytes: Math.max(0, Number(lag)), changes });
  };
  const consumer = new Consumer({ relations, sink, limits, onFailure: fail, onProgress }, state.delivered);
  const running = openStream({
    url: options.ownerUrl,
    slot: slot.name,
    publications: slot.publications,
    wants: options.wants,
    onMessage: (message) => consumer.handle(message),
    onIdle: (lsn) => consumer.idle(lsn),
    processed: () => consumer.processed,
    onLive() {
      const isGap = slot.isNew && liveness.wasLive;
      liveness.set(true);
      if (isGap) options.onGap();
    },
  });
  try {
    await Promise.race([running.ended, failed, aborted(signal)]);
  } finally {
    liveness.set(false);
    await consumer.settle();
    running.acknowledge();
    state.delivered = consumer.delivered;
    await running.stop();
  }
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
  if (!(await hasSlotGuard(db))) options.observer(unguarded);
  return { name, publications, isNew: action !== 'use' };
}

const unguarded: Parameters<Observer>[0] = {
  kind: 'notice',
  service: 'realtime',
  level: 'warn',
  message:
    'max_slot_wal_keep_size is unlimited: while the gateway is down, the slot keeps the log and may fill the disk',
};

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
