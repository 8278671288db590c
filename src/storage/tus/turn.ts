import type { Locker } from '@tus/server';
import type { Locks } from '../locks.ts';
import { parseUploadId } from './upload-id.ts';

/** Being an upload's only writer, for one request. */
export class Turn implements Locker {
  readonly #locks: Locks;
  readonly #isMaker: boolean;
  #lost: Error | null = null;

  /** Who makes an upload needs no lock: nobody else knows of it. */
  constructor(locks: Locks, isMaker: boolean) {
    this.#locks = locks;
    this.#isMaker = isMaker;
  }

  /** The lock of an upload; taking it throws `LockTimeout`. */
  newLock(id: string): ReturnType<Locker['newLock']> {
    let release = async (): Promise<void> => {};
    return {
      lock: async (_signal, letGo) => {
        if (this.#isMaker) return;
        release = await this.#locks.acquire(parseUploadId(id).version, (lost) => {
          this.#lost ??= lost ?? null;
          void letGo();
        });
      },
      unlock: () => release(),
    };
  }

  /** Throws when the turn is lost: another service may be writing. */
  requireHeld(): void {
    if (this.#lost !== null) throw this.#lost;
  }
}
