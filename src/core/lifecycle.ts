import type { Observer, ServiceId } from './observe.ts';

/** Something that runs until it is told to stop. */
export type BackgroundService = {
  readonly id: string;
  readonly service: ServiceId;
  /** Resolves when the signal aborts; a rejection starts it again after a pause. */
  readonly run: (signal: AbortSignal) => Promise<void>;
};

/** Keeps background services running. */
export interface Supervisor {
  start(service: BackgroundService): void;
  /** Aborts all of them, the last started first, and resolves when each has ended. */
  stop(): Promise<void>;
}

const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** A service that ran this long gets the first pause again. */
const steadyMs = 30_000;

/** Creates a supervisor that restarts failed services with growing, jittered pauses. */
export function createSupervisor(observer: Observer): Supervisor {
  const running: { readonly abort: AbortController; readonly ended: Promise<void> }[] = [];
  return {
    start(service) {
      const abort = new AbortController();
      running.push({ abort, ended: keepRunning(service, abort.signal, observer) });
    },
    async stop() {
      for (const { abort, ended } of running.splice(0).reverse()) {
        abort.abort();
        await ended;
      }
    },
  };
}

async function keepRunning(
  service: BackgroundService,
  signal: AbortSignal,
  observer: Observer,
): Promise<void> {
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await service.run(signal);
    } catch (error) {
      if (signal.aborted) return;
      observer({
        kind: 'fault',
        service: service.service,
        message: `${service.id} ended and starts again`,
        error,
      });
    }
    if (signal.aborted) return;
    if (performance.now() - startedAt > steadyMs) pauseMs = firstPauseMs;
    await pause(pauseMs * (0.5 + Math.random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** Waits, or until the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
