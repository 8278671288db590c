import { setTimeout as delay } from 'node:timers/promises';
import { StorageError } from './errors.ts';
import type { SharedLocks } from './shared-locks.ts';

/** Gives the lock back; resolves when another service can take it. */
type Release = () => Promise<void>;

/** One writer per upload, among all services on the database. */
export interface Locks {
  /**
   * Takes the lock. Its holder is asked to let go, by the function that it gave, when somebody else comes: a client
   * that resumes must not wait for the dead connection of its last try. The function gets an error when the lock is
   * lost instead. Throws `LockTimeout`.
   */
  acquire(id: string, onReleaseRequest: (lost?: Error) => void): Promise<Release>;
}

type Holder = { readonly letGo: () => void; readonly waiting: (() => void)[] };

const patienceMs = 5_000;
/** How often another service is asked for a lock that it holds. */
const retryMs = 100;

/** Locks within this process first, so that what is shared is asked for by one request of it at a time. */
export function createLocks(shared: SharedLocks): Locks {
  const holders = new Map<string, Holder>();
  const take = (id: string, letGo: () => void): (() => void) => {
    const holder: Holder = { letGo, waiting: [] };
    holders.set(id, holder);
    return () => {
      if (holders.get(id) !== holder) return;
      holders.delete(id);
      for (const retry of holder.waiting) retry();
    };
  };
  return {
    async acquire(id, onReleaseRequest) {
      const deadline = Date.now() + patienceMs;
      for (let holder = holders.get(id); holder !== undefined; holder = holders.get(id)) {
        holder.letGo();
        await released(holder, deadline - Date.now());
      }
      const release = take(id, onReleaseRequest);
      try {
        await takeShared(shared, id, onReleaseRequest, deadline);
      } catch (thrown) {
        release();
        throw thrown;
      }
      return async () => {
        await shared.release(id);
        release();
      };
    },
  };
}

async function takeShared(
  shared: SharedLocks,
  id: string,
  onReleaseRequest: (lost?: Error) => void,
  deadline: number,
): Promise<void> {
  while (!(await shared.tryAcquire(id, onReleaseRequest))) {
    if (Date.now() > deadline) throw new StorageError('LockTimeout');
    await delay(retryMs);
  }
}

function released(holder: Holder, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new StorageError('LockTimeout')), Math.max(ms, 0));
    holder.waiting.push(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
