import type { Clock } from '../core/clock.ts';

const bucketMs = 5_000;
const bucketCount = 12;

/** Counts events and says whether their average over the last minute is above a limit. */
export interface RateCounter {
  add(count?: number): void;
  /** Average per second over the window. */
  average(): number;
  isExceeded(): boolean;
}

/**
 * A counter over twelve buckets of five seconds. A limit of 0 never trips.
 * Upstream: supabase/realtime lib/realtime/rate_counter/rate_counter.ex.
 */
export function createRateCounter(limitPerSecond: number, clock: Clock): RateCounter {
  const buckets = new Array<number>(bucketCount).fill(0);
  let newest = Math.floor(clock.now() / bucketMs);
  const advance = (): void => {
    const current = Math.floor(clock.now() / bucketMs);
    // A clock that jumps far, in either direction, starts the window anew.
    const steps = Math.min(bucketCount, Math.abs(current - newest));
    for (let i = 0; i < steps; i++) buckets[(current - i + bucketCount) % bucketCount] = 0;
    newest = current;
  };
  const average = (): number => {
    advance();
    return buckets.reduce((sum, count) => sum + count, 0) / ((bucketCount * bucketMs) / 1_000);
  };
  return {
    add(count = 1) {
      advance();
      const slot = newest % bucketCount;
      buckets[slot] = (buckets[slot] ?? 0) + count;
    },
    average,
    isExceeded: () => limitPerSecond > 0 && average() > limitPerSecond,
  };
}
