import { LRUCache } from 'lru-cache';

/**
 * Counts wrong codes per address. Upstream counts none, so that six digits can be tried out while they are good; here
 * the codes of an address are spent after some wrong ones, until a new one is sent to it.
 */
export interface Guesses {
  areSpent(address: string): boolean;
  /** Notes a wrong code. */
  miss(address: string): void;
  /** Begins again: a code was right, or a new one is on its way. */
  forget(address: string): void;
}

const maxWrong = 10;
const maxAddresses = 50_000;
/** As long as codes are good in most settings. */
const rememberMs = 3_600_000;

/** Creates an empty memory. */
export function createGuesses(): Guesses {
  // Bounded by size: a bound by count would reserve the room of all of them at the start.
  const wrong = new LRUCache<string, number>({
    maxSize: maxAddresses,
    sizeCalculation: () => 1,
    ttl: rememberMs,
  });
  return {
    areSpent: (address) => (wrong.get(address) ?? 0) >= maxWrong,
    miss: (address) => void wrong.set(address, (wrong.get(address) ?? 0) + 1),
    forget: (address) => void wrong.delete(address),
  };
}
