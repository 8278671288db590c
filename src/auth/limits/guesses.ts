import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';

/**
 * Counts wrong codes per address or second factor. Upstream counts none, so that six digits can be tried out while they
 * are good; here codes are spent after some wrong ones: those of an address until a new one is sent to it.
 */
export interface Guesses {
  areSpent(subject: string): boolean;
  /** Notes a wrong code. */
  miss(subject: string): void;
  /** Begins again: a code was right, or a new one is on its way. */
  forget(subject: string): void;
}

const maxWrong = 10;
const maxSubjects = 50_000;

/** Creates an empty memory, which forgets a subject so many milliseconds after its last wrong code. */
export function createGuesses(clock: Clock, rememberMs: number): Guesses {
  // Bounded by size: a bound by count would reserve the room of all of them at the start.
  const wrong = new LRUCache<string, number>({
    maxSize: maxSubjects,
    sizeCalculation: () => 1,
    ttl: rememberMs,
    perf: clock,
  });
  return {
    areSpent: (subject) => (wrong.get(subject) ?? 0) >= maxWrong,
    miss: (subject) => void wrong.set(subject, (wrong.get(subject) ?? 0) + 1),
    forget: (subject) => void wrong.delete(subject),
  };
}
