import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';

/** Remembers when addresses were told of messages that nobody sent them. */
export interface Pretences {
  /** Epoch milliseconds of the last pretence of a kind to an address; null when there was none. */
  lastMs(kind: string, address: string): number | null;
  note(kind: string, address: string): void;
}

const maxAddresses = 50_000;
/** Longer than any pause between two messages that a project would set. */
const rememberMs = 3_600_000;

/** Creates an empty memory. */
export function createPretences(clock: Clock): Pretences {
  // Bounded by size: a bound by count would reserve the room of all of them at the start.
  const last = new LRUCache<string, number>({
    maxSize: maxAddresses,
    sizeCalculation: () => 1,
    ttl: rememberMs,
    perf: clock,
  });
  return {
    lastMs: (kind, address) => last.get(`${kind} ${address}`) ?? null,
    note: (kind, address) => void last.set(`${kind} ${address}`, clock.now()),
  };
}
