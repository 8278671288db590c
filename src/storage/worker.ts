import { pause } from '../core/lifecycle.ts';
import type { StorageInput } from './deps.ts';
import { type DueDiscard, enqueueSuspects, nextDueMs, settle, takeDue } from './store/outbox.ts';
import { deleteExpired } from './tus/uploads.ts';
import { tellWebhook } from './webhooks.ts';

const batchSize = 100;
/** How long a taken piece of work is hidden from other workers; a worker that dies gives it back after that. */
const leaseSeconds = 300;
const longestNapMs = 30_000;
const shortestNapMs = 50;
/** How long an event waits at most until the webhook is told. */
const webhookNapMs = 500;

/**
 * Deletes the blobs that transactions have left behind, gives up resumable uploads whose time is over, and tells the
 * webhook of events, until the signal. Rejects when the database does.
 */
export async function runWorker(deps: StorageInput, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const taken = await drainBatch(deps);
    const expired = await sweepUploads(deps);
    if ((await tellWebhook(deps)) > 0) continue;
    if (taken === batchSize || expired === batchSize) continue;
    const due = await nextDueMs(deps.serviceDb);
    const longestMs = deps.config.webhookUrl === null ? longestNapMs : webhookNapMs;
    await pause(Math.min(Math.max(due ?? longestMs, shortestNapMs), longestMs), signal);
  }
}

/** Takes one batch of due work; yields how much it was. A blob that could not be removed is tried again later. */
export async function drainBatch({ serviceDb, store, observer }: StorageInput): Promise<number> {
  const due = await takeDue(serviceDb, batchSize, leaseSeconds);
  const unneeded = due.filter((item) => !item.isReferenced);
  const failed = new Set(await store.remove(unneeded.map((item) => item.version)));
  const done = due.filter((item) => !failed.has(item.version));
  await settle(
    serviceDb,
    done.map((item) => item.id),
  );
  if (failed.size > 0) {
    observer({
      kind: 'notice',
      service: 'storage',
      level: 'warn',
      message: 'blobs could not be removed and will be tried again',
      fields: { count: failed.size, attempts: mostAttempts(due) },
    });
  }
  return due.length;
}

/** Gives up one batch of resumable uploads whose time is over; yields how many of them had bytes left. */
export async function sweepUploads({ serviceDb, store, clock }: StorageInput): Promise<number> {
  const expired = await deleteExpired(serviceDb, clock.now(), batchSize);
  for (const { version } of expired) await store.growing.discard(version);
  // One that had all its bytes is a blob by now, perhaps an object's.
  await enqueueSuspects(serviceDb, expired, 0);
  return expired.length;
}

const mostAttempts = (due: readonly DueDiscard[]): number => Math.max(0, ...due.map((item) => item.attempts));
