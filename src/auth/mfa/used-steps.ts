import { LRUCache } from 'lru-cache';

/** Remembers the time steps of codes that were used, so that none is good twice. */
export interface UsedSteps {
  /** Claims a step of a factor; false when it, or a later one, was claimed before. */
  claim(factorId: string, step: number): boolean;
}

const maxFactors = 50_000;

/** Creates an empty memory; a code is good for a minute and a half at most, so it need not outlive the process. */
export function createUsedSteps(): UsedSteps {
  // Bounded by size: a bound by count would reserve the room of all of them at the start.
  const last = new LRUCache<string, number>({ maxSize: maxFactors, sizeCalculation: () => 1 });
  return {
    claim(factorId, step) {
      if ((last.get(factorId) ?? -1) >= step) return false;
      last.set(factorId, step);
      return true;
    },
  };
}
