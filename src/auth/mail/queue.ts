import type { Observer } from '../../core/observe.ts';

/** Work that goes on beside the requests that asked for it. */
export interface MailQueue {
  /** Adds work; what has the same key is done one after the other. */
  push(kind: string, key: string, job: () => Promise<void>): void;
  /** Resolves when nothing is left to do. */
  settled(): Promise<void>;
  /** The same at the end of the process: waits no longer than this, and tries nothing again. */
  drain(timeoutMs: number): Promise<void>;
}

const maxWaiting = 10_000;
const parallel = 3;
const retryDelaysMs = [500, 2_000, 8_000];

type Entry = {
  readonly kind: string;
  readonly key: string;
  readonly job: () => Promise<void>;
  readonly attempt: number;
};

/**
 * Creates a queue that sends a few mails at a time and tries again when a server does not take them, so that neither
 * a slow nor a broken server holds up a request. What cannot be sent in the end is reported, without its address.
 * Mails to one address go out in the order in which they were asked for: the last link is the one that works.
 */
export function createMailQueue(observer: Observer): MailQueue {
  const waiting: Entry[] = [];
  const busy = new Set<string>();
  const retries = new Set<NodeJS.Timeout>();
  const idle = new Set<() => void>();
  let running = 0;
  let isDraining = false;

  const settle = (): void => {
    if (running + waiting.length + retries.size > 0) return;
    for (const resolve of idle) resolve();
    idle.clear();
  };
  const giveUp = (kind: string, error: unknown): void =>
    observer({ kind: 'fault', service: 'auth', message: `a mail could not be sent (${kind})`, error });
  const retry = (entry: Entry, error: unknown): void => {
    const delay = retryDelaysMs[entry.attempt];
    if (delay === undefined || isDraining) {
      giveUp(entry.kind, error);
      return;
    }
    const timer = setTimeout(() => {
      retries.delete(timer);
      waiting.push({ ...entry, attempt: entry.attempt + 1 });
      pump();
    }, delay);
    timer.unref();
    retries.add(timer);
  };
  const run = async (entry: Entry): Promise<void> => {
    try {
      await entry.job();
    } catch (error) {
      retry(entry, error);
    } finally {
      running--;
      busy.delete(entry.key);
      pump();
      settle();
    }
  };
  const pump = (): void => {
    while (running < parallel) {
      const index = waiting.findIndex(({ key }) => !busy.has(key));
      const [next] = index === -1 ? [] : waiting.splice(index, 1);
      if (next === undefined) return;
      running++;
      busy.add(next.key);
      void run(next);
    }
  };

  return {
    push(kind, key, job) {
      if (waiting.length >= maxWaiting) {
        giveUp(kind, new Error('too many mails are waiting'));
        return;
      }
      waiting.push({ kind, key, job, attempt: 0 });
      pump();
    },
    settled: () =>
      new Promise((resolve) => {
        idle.add(resolve);
        settle();
      }),
    drain(timeoutMs) {
      isDraining = true;
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        timer.unref();
        idle.add(() => {
          clearTimeout(timer);
          resolve();
        });
        settle();
      });
    },
  };
}
