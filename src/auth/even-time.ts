import { setTimeout as wait } from 'node:timers/promises';

/*
 * Sending somebody a mail takes some milliseconds longer than sending nobody one, and so does comparing a code with
 * one that is there: enough to tell strangers who has an account. Such answers all take the same time.
 */

/** Longer than any of this takes on a machine that has something else to do as well. */
const leastMs = 100;

const rest = (begunMs: number): Promise<void> => wait(Math.max(leastMs - (performance.now() - begunMs), 0));

/** Gives the outcome of work, good or bad, a fixed time after it began. */
export async function inEvenTime<T>(work: () => Promise<T>): Promise<T> {
  const begunMs = performance.now();
  try {
    return await work();
  } finally {
    await rest(begunMs);
  }
}

/** The same for refusals only: what is granted comes at once. */
export async function refusedInEvenTime<T>(work: () => Promise<T>): Promise<T> {
  const begunMs = performance.now();
  try {
    return await work();
  } catch (thrown) {
    await rest(begunMs);
    throw thrown;
  }
}
