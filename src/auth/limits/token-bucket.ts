import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';

/** Lets a number of events through at once and refills over time, counted apart for each key. */
export interface KeyedLimiter {
  /** Takes one from the key's bucket; false when it is empty. */
  take(key: string): boolean;
}

type Bucket = { tokens: number; at: number };

const maxKeys = 50_000;

/** A limiter of buckets that hold `burst` and gain `events` in each `perMs`. */
export function createKeyedLimiter(
  clock: Clock,
  options: { readonly events: number; readonly perMs: number; readonly burst: number },
): KeyedLimiter {
  // Keys come from headers, so their number is bounded; the one longest unused is the fullest. (A bound by size, since
  // one by count would reserve the room of all of them for each limiter.)
  const buckets = new LRUCache<string, Bucket>({ maxSize: maxKeys, sizeCalculation: () => 1 });
  const perMs = options.events / options.perMs;
  return {
    take(key) {
      const now = clock.now();
      const bucket = buckets.get(key) ?? { tokens: options.burst, at: now };
      bucket.tokens = Math.min(options.burst, bucket.tokens + (now - bucket.at) * perMs);
      bucket.at = now;
      buckets.set(key, bucket);
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}
