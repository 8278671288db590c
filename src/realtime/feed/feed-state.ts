import type { Bus } from '../../cluster/bus.ts';
import type { Observer } from '../../core/observe.ts';
import type { BatchLimits, ChangeSink, Mark } from './consumer.ts';
import type { Liveness } from './liveness.ts';
import type { Relations } from './relations.ts';

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
  /**
   * Changes may have been missed. `restart` is where a slot that was made anew begins; after a failover it may be before
   * positions of the former server. Null when the slot is the same.
   */
  readonly onGap: (restart: bigint | null) => void;
  readonly observer: Observer;
  readonly bus: Bus;
  /** Name of this instance. */
  readonly self: string;
  readonly now: () => number;
  /** A name for a stream that no other stream has. */
  readonly newEpoch: () => string;
};

/** Where an instance stands in the stream, whoever reads it. */
export type Position = {
  /** Up to where everything was dealt with; 0 for an instance that has just come up. */
  processed: bigint;
  /** Last change that went out. */
  delivered: Mark;
};

/** The position before everything. */
export const nowhere: Mark = { lsn: 0n, index: -1 };

/** What one attempt leaves to the next. */
export type FeedState = {
  readonly liveness: Liveness;
  readonly position: Position;
  publications: readonly string[];
  firstPosition: bigint;
  /** The slot cannot be used any more, though it is there. */
  mustRecreate: boolean;
  /** Starts the stream anew, in the present role. */
  restart: () => void;
};

/** Bounds of what is held in memory and handed on at once. */
export const batchLimits: BatchLimits = { maxRows: 500, maxBytes: 1024 ** 2 };

/** Resolves with the signal. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
