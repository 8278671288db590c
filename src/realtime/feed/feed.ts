import { setTimeout as delay } from 'node:timers/promises';
import { deposeSilentLeader, tryToLead } from '../../cluster/leadership.ts';
import type { Observer } from '../../core/observe.ts';
import { PgFailure } from '../../pg/failure.ts';
import { aborted, batchLimits, type FeedOptions, type FeedState, nowhere } from './feed-state.ts';
import { type Following, follow } from './following.ts';
import { readStream } from './leading.ts';
import { createLiveness } from './liveness.ts';
import { createOwnerDb } from './owner-db.ts';
import { createRelay, type Relay } from './relay.ts';
import { currentPosition, feedName } from './slot.ts';

/*
 *   alone:   reads the slot
 *
 *   among others:
 *                  lock taken                       lock lost
 *     seeking ---------------------> leading ----------------------> seeking
 *        |                           reads the slot, relays it
 *        | somebody leads                            silent, over
 *        +-------------------------> following --------------------> seeking
 *
 * A leader that is silent, and does not answer by way of the database either, is deposed by who has followed it.
 *
 * Whoever reads the slot tries again, with a pause, whenever the stream breaks. The slot is durable: what is committed
 * while the stream is away is delivered when it is back. Only when the slot itself was lost, or when an instance was
 * out of reach for long, is there a gap, which `onGap` announces.
 */

/** The consumer of the database's changes. */
export interface Feed {
  /** Keeps the changes coming until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when changes reach this instance; rejects with the signal's reason. */
  live(signal: AbortSignal): Promise<void>;
  readonly isLive: boolean;
  /** Starts the stream anew, as after a publication was made. */
  restart(): void;
  /** Publications that the running stream reads. */
  readonly publications: readonly string[];
  /** Where the log ended when this instance first reached the database; 0 before. */
  readonly firstPosition: bigint;
}

const firstDelayMs = 100;
const maxDelayMs = 5_000;
const undefinedObject = '42704';
const objectNotInPrerequisiteState = '55000';

/** Creates the feed. */
export function createFeed(given: FeedOptions): Feed {
  const liveness = createLiveness();
  const state: FeedState = {
    liveness,
    position: { processed: 0n, delivered: nowhere },
    publications: [],
    firstPosition: 0n,
    mustRecreate: false,
    restart: () => {},
  };
  const options: FeedOptions = {
    ...given,
    onGap(restart) {
      if (restart !== null && restart < state.firstPosition) state.firstPosition = restart;
      given.onGap(restart);
    },
  };
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
    restart: () => state.restart(),
    live: (signal) => liveness.wait(signal),
    run: (signal) =>
      options.bus.isShared ? runAmongOthers(options, state, signal) : read(options, state, null, signal),
  };
}

/** Reads the slot until the signal, again and again. */
async function read(
  options: FeedOptions,
  state: FeedState,
  relay: Relay | null,
  signal: AbortSignal,
): Promise<void> {
  await again(signal, options.observer, state, async () => {
    const restarts = new AbortController();
    state.restart = () => restarts.abort();
    try {
      await readStream(options, state, relay, AbortSignal.any([signal, restarts.signal]));
    } catch (failure) {
      state.mustRecreate = state.liveness.wasLive && isSlotUnusable(failure);
      throw failure;
    }
  });
}

/** A publication that did not exist when older changes were made, or a slot that the server has invalidated. */
const isSlotUnusable = (failure: unknown): boolean =>
  failure instanceof PgFailure && [undefinedObject, objectNotInPrerequisiteState].includes(failure.sqlstate);

/** Leads when nobody else does, else follows, until the signal. */
async function runAmongOthers(options: FeedOptions, state: FeedState, signal: AbortSignal): Promise<void> {
  let wasSilent = false;
  await again(signal, options.observer, state, async () => {
    const name = await prepare(options, state);
    const { ownerUrl } = options;
    const free = await tryToLead(ownerUrl, name);
    const hasDeposed = free === null && wasSilent && (await deposeSilentLeader(ownerUrl, name));
    wasSilent = false;
    if (hasDeposed) options.observer(deposed);
    const leadership = hasDeposed ? await tryToLead(ownerUrl, name) : free;
    if (leadership === null) {
      wasSilent = (await followOthers(options, state, signal)) === 'silent';
      return;
    }
    const relay = createRelay({
      ...{ bus: options.bus, now: options.now, newEpoch: options.newEpoch },
      awaitsFormer: hasDeposed,
      processed: () => state.position.processed,
      onReplay: () => state.restart(),
    });
    try {
      await read(options, state, relay, AbortSignal.any([signal, leadership.lost]));
    } finally {
      // The lock first, so that it is free for those who hear that it is over.
      await leadership.resign();
      relay.close();
    }
  });
}

const deposed: Parameters<Observer>[0] = {
  kind: 'notice',
  service: 'realtime',
  level: 'warn',
  message: 'the leader of the change feed did not answer and was deposed',
};

async function prepare(options: FeedOptions, state: FeedState): Promise<string> {
  const db = createOwnerDb(options.ownerUrl);
  try {
    if (state.firstPosition === 0n) state.firstPosition = await currentPosition(db);
    return await feedName(db, options.slotName);
  } finally {
    await db.close();
  }
}

async function followOthers(
  options: FeedOptions,
  state: FeedState,
  signal: AbortSignal,
): Promise<'over' | 'silent' | null> {
  const { liveness, position } = state;
  const { bus, self, now, relations, sink, wants, onGap, observer } = options;
  const following: Following = follow({
    ...{ bus, self, now, relations, sink, wants, onGap, position, limits: batchLimits },
    onLive(publications) {
      state.publications = publications;
      liveness.set(true);
    },
    onFailure: (failure) => observer(noticeOf(failure)),
  });
  state.restart = () => following.restart();
  try {
    return await Promise.race([following.ended, aborted(signal).then(() => null)]);
  } finally {
    liveness.set(false);
    await following.stop(signal.aborted);
  }
}

/**
 * Does the work over and over until the signal; after failures with a growing pause, unless the stream has come further
 * meanwhile. Never rejects.
 */
async function again(
  signal: AbortSignal,
  observer: Observer,
  { position }: FeedState,
  work: () => Promise<void>,
): Promise<void> {
  let delayMs = firstDelayMs;
  while (!signal.aborted) {
    const startedAt = Date.now();
    const { processed } = position;
    try {
      await work();
      delayMs = firstDelayMs;
    } catch (failure) {
      observer(noticeOf(failure));
      const hasProgress = position.processed !== processed || Date.now() - startedAt > maxDelayMs;
      if (hasProgress) delayMs = firstDelayMs;
      await pause(delayMs * (0.5 + Math.random() / 2), signal);
      delayMs = Math.min(maxDelayMs, delayMs * 2);
    }
  }
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

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // The signal ends the pause.
  }
}
