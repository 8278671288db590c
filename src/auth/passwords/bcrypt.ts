import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/*
 * bcrypt has threads of its own. On those of libuv's pool, of which there are four whatever the cores, a crowd that
 * signs in would hold up every file operation and lookup of the process.
 */

/** Cost of new hashes; upstream's. */
export const usualCost = 10;

/** Whether a stored hash is bcrypt's. */
export const isBcrypt = (stored: string): boolean => /^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/.test(stored);

/** Hashes and compares off the main thread. */
export interface Bcrypt {
  /** Hashes with the prefix that upstream stores; `$2b$` means the same. */
  hash(password: string): Promise<string>;
  /** Compares; hashes of other makers (`$2b$`, `$2y$`) differ in the prefix only. */
  verify(password: string, stored: string): Promise<boolean>;
}

/** What a thread is asked: to hash without a stored hash, to compare with one. */
type Job = { readonly password: string; readonly stored: string | null };
type Answer = { readonly value?: string | boolean; readonly failure?: string };

// A string, since a thread starts from a file or a text, and as a file it would need to be compiled before tests run it.
const program = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { hashSync, compareSync } = require(workerData.library);
  parentPort.on('message', ({ password, stored }) => {
    try {
      const value = stored === null ? hashSync(password, workerData.cost) : compareSync(password, stored);
      parentPort.postMessage({ value });
    } catch (thrown) {
      parentPort.postMessage({ failure: String(thrown) });
    }
  });
`;

/**
 * Creates the threads as they are needed, one for each job that runs at once: how many those are is the caller's
 * business. One that has had nothing to do for `idleMs` ends.
 */
export function createBcrypt(cost = usualCost, idleMs = 10_000): Bcrypt {
  const library = createRequire(import.meta.url).resolve('@node-rs/bcrypt');
  const free: Thread[] = [];
  const start = (): Thread => {
    // Flags of the process, such as loaders, are not for a thread that loads one library.
    const worker = new Worker(program, { eval: true, execArgv: [], workerData: { library, cost } });
    // A process that wants to end does not wait for them.
    worker.unref();
    const thread: Thread = { worker, idle: null };
    worker.once('exit', () => remove(free, thread));
    return thread;
  };
  const run = async (job: Job): Promise<string | boolean> => {
    const thread = free.pop() ?? start();
    if (thread.idle !== null) clearTimeout(thread.idle);
    const value = await ask(thread.worker, job);
    thread.idle = setTimeout(() => {
      remove(free, thread);
      void thread.worker.terminate();
    }, idleMs);
    thread.idle.unref();
    free.push(thread);
    return value;
  };
  return {
    hash: async (password) => String(await run({ password, stored: null })).replace(/^\$2b\$/, '$2a$'),
    verify: async (password, stored) => (await run({ password, stored })) === true,
  };
}

type Thread = { readonly worker: Worker; idle: NodeJS.Timeout | null };

function remove(free: Thread[], thread: Thread): void {
  const index = free.indexOf(thread);
  if (index !== -1) free.splice(index, 1);
}

/** One job on one thread; rejects when the thread cannot do it, or ends over it. */
function ask(worker: Worker, job: Job): Promise<string | boolean> {
  return new Promise((resolve, reject) => {
    const settle = (answer: Answer): void => {
      worker.removeListener('error', fail);
      worker.removeListener('exit', end);
      if (answer.value === undefined) reject(new Error(answer.failure));
      else resolve(answer.value);
    };
    const fail = (thrown: unknown): void => settle({ failure: String(thrown) });
    const end = (): void => settle({ failure: 'the thread ended' });
    worker.once('message', settle);
    worker.once('error', fail);
    worker.once('exit', end);
    worker.postMessage(job);
  });
}
