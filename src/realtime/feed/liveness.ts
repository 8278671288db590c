/** Whether something runs, and who waits for it. */
export interface Liveness {
  readonly isLive: boolean;
  /** Whether it has ever run. */
  readonly wasLive: boolean;
  set(isLive: boolean): void;
  /** Resolves when it runs; rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<void>;
}

/** Starts as not running. */
export function createLiveness(): Liveness {
  const waiters = new Set<() => void>();
  let isLive = false;
  let wasLive = false;
  return {
    get isLive() {
      return isLive;
    },
    get wasLive() {
      return wasLive;
    },
    set(value) {
      isLive = value;
      if (!value) return;
      wasLive = true;
      for (const wake of waiters) wake();
      waiters.clear();
    },
    wait(signal) {
      return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        if (isLive) {
          resolve();
          return;
        }
        const onAbort = (): void => {
          waiters.delete(wake);
          reject(signal.reason);
        };
        const wake = (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiters.add(wake);
      });
    },
  };
}
