import cluster, { type Worker } from 'node:cluster';
import { type Backoff, delayBefore } from '../../core/backoff.ts';
import { pause } from '../../core/lifecycle.ts';

/** Name of the variable that tells a worker process its number, from 0. */
const workerVariable = 'OWNBASE_WORKER';

/** The number of this process among the workers; null in the process that supervises them, or without workers. */
export function workerNumber(env: Readonly<Record<string, string | undefined>>): number | null {
  const text = env[workerVariable];
  return cluster.isWorker && text !== undefined ? Number(text) : null;
}

/** Ends this worker's tie to its supervisor, which would keep the process alive. */
export const leaveWorkers = (): void => process.disconnect();

/** Options of a group of workers. */
export type WorkersOptions = {
  readonly count: number;
  /** Aborting it asks every worker to finish its requests and end. */
  readonly signal: AbortSignal;
  /** Signals that the workers understand and that this process passes on. */
  readonly relayed: readonly NodeJS.Signals[];
  /** A worker ended by itself and is replaced after the pause. */
  readonly onCrash: (number: number, code: number | null, retryMs: number) => void;
};

const backoff: Backoff = { firstMs: 100, maxMs: 10_000 };
/** A worker that served this long gets the first pause again. */
const steadyMs = 30_000;

/** Workers that could not start: their configuration is wrong, or their port is taken. */
class WorkersFailed extends Error {
  override readonly name = 'WorkersFailed';
}

/**
 * Runs this command line in several processes that share its listener, and replaces those that crash. They share
 * nothing else: what they agree on is in the database. Resolves when all have ended after the signal; rejects when one of
 * the first ones gives up before it serves.
 */
export async function runWorkers(options: WorkersOptions): Promise<void> {
  const workers = new Set<Worker>();
  const relays = options.relayed.map((name) => {
    const relay = (): void => {
      for (const worker of workers) worker.process.kill(name);
    };
    process.on(name, relay);
    return () => process.off(name, relay);
  });
  const numbers = Array.from({ length: options.count }, (_, number) => number);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  try {
    await Promise.all(
      numbers.map((number) =>
        keepWorker(number, workers, options, signal).catch((error: unknown) => {
          failed.abort();
          throw error;
        }),
      ),
    );
  } finally {
    for (const remove of relays) remove();
  }
}

async function keepWorker(
  number: number,
  workers: Set<Worker>,
  { onCrash }: WorkersOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    const startedAt = performance.now();
    const { code, wasListening } = await runWorker(number, workers, signal);
    if (signal.aborted) return;
    // One that a signal ended has not looked at its configuration: it is replaced like any that crashes.
    const gaveUp = code !== null && !wasListening;
    if (gaveUp && attempt === 1) throw new WorkersFailed('the workers could not start');
    if (performance.now() - startedAt > steadyMs) attempt = 1;
    const retryMs = delayBefore(attempt, backoff);
    onCrash(number, code, retryMs);
    await pause(retryMs, signal);
  }
}

type End = { readonly code: number | null; readonly wasListening: boolean };

/** Runs one worker to its end. */
function runWorker(number: number, workers: Set<Worker>, signal: AbortSignal): Promise<End> {
  const worker = cluster.fork({ [workerVariable]: String(number) });
  workers.add(worker);
  const stop = (): void => {
    worker.process.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  let wasListening = false;
  worker.once('listening', () => {
    wasListening = true;
  });
  return new Promise((resolve) => {
    worker.once('exit', (code: number | null) => {
      workers.delete(worker);
      signal.removeEventListener('abort', stop);
      resolve({ code, wasListening });
    });
  });
}
