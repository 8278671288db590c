/** Delays of repeated attempts: from the first, doubling, up to the last. */
export type Backoff = { readonly firstMs: number; readonly maxMs: number };

/** Seconds that upstream's services wait for a lost database: 1, 2, 4, ... 32. */
export const databaseBackoff: Backoff = { firstMs: 1_000, maxMs: 32_000 };

/** Delay before an attempt, counted from 1 for the first repetition. */
export const delayBefore = (attempt: number, { firstMs, maxMs }: Backoff): number =>
  Math.min(maxMs, firstMs * 2 ** (attempt - 1));
