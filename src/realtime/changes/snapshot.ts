import { setTimeout as delay } from 'node:timers/promises';

const halfRange = 2 ** 31;

/** Whether a transaction id precedes another one, on the circle of 32-bit ids. */
const precedes = (left: number, right: number): boolean => {
  const distance = (right - left) >>> 0;
  return distance !== 0 && distance < halfRange;
};

/**
 * Whether a committed transaction shows in a snapshot, `xmin:xmax:xip,xip,...` as the server prints it.
 * A transaction can be read from the log a moment before it shows to others.
 */
export function showsIn(snapshot: string, xid: number): boolean {
  const [, xmax = '0', running = ''] = snapshot.split(':');
  const short = (text: string): number => Number(BigInt.asUintN(32, BigInt(text)));
  if (!precedes(xid, short(xmax))) return false;
  return running === '' || !running.split(',').some((text) => short(text) === xid);
}

const firstWaitMs = 1;
const maxWaitMs = 50;

/** Waits until all transactions show in a new snapshot. */
export async function untilVisible(
  xids: ReadonlySet<number>,
  readSnapshot: () => Promise<string>,
): Promise<void> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(maxWaitMs, waitMs * 2)) {
    const snapshot = await readSnapshot();
    if ([...xids].every((xid) => showsIn(snapshot, xid))) return;
    await delay(waitMs);
  }
}
