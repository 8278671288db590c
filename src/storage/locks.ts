import { StorageError } from './errors.ts';

/** Gives the lock back. */
type Release = () => void;

/** One writer per upload. */
export interface Locks {
  /**
   * Takes the lock. Its holder is asked to let go, by the function that it gave, when somebody else comes: a client
   * that resumes must not wait for the dead connection of its last try. Throws `LockTimeout`.
   */
  acquire(id: string, onReleaseRequest: () => void): Promise<Release>;
}

type Holder = { readonly letGo: () => void; readonly waiting: (() => void)[] };

const patienceMs = 5_000;

/** Locks within this process; between processes the record of an upload is changed only from the offset it was read at. */
export function createLocks(): Locks {
  const holders = new Map<string, Holder>();
  const take = (id: string, letGo: () => void): Release => {
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
      return take(id, onReleaseRequest);
    },
  };
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
