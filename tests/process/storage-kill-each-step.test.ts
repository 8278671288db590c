import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { bundleProgram } from '../support/bundle.ts';
import { expectWhole, serviceOf, startForFaults } from '../support/storage-faults.ts';
import type { Operation, Service } from '../support/storage-operation.ts';
import { expectKept, operations } from '../support/storage-operations.ts';
import type { Order, Report } from './storage-victim.ts';

/*
 * A process that dies before every single step of every operation: each change of the disk, each statement that writes,
 * and the answer. A second process on the same files and database is the start after it.
 */

const mostSteps = 40;
const program = await bundleProgram(fileURLToPath(new URL('./storage-victim.ts', import.meta.url)));

const instance = await startForFaults();
const survivor = serviceOf(instance);

/** A process that serves the same files and database, until it dies. */
class Victim {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #ready: Promise<Report>;

  constructor() {
    const { database, root, folder } = instance;
    const urls = [database.url('authenticator'), database.url('supabase_storage_admin')];
    this.#child = spawn(process.execPath, [program, root, folder, ...urls], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#exited = once(this.#child, 'exit');
    this.#ready = this.#report();
  }

  async #report(): Promise<Report> {
    const [message] = (await once(this.#child, 'message')) as [Report];
    return message;
  }

  async order(order: Order): Promise<Report> {
    await this.#ready;
    const report = this.#report();
    this.#child.send(order);
    return report;
  }

  /** The service, which dies at the step. */
  async dyingAt(step: number): Promise<Service> {
    const report = await this.order({ dieAt: step });
    if (!('port' in report)) throw new Error('the victim has no port');
    return { ...survivor, url: `http://127.0.0.1:${report.port}/storage/v1` };
  }

  /** Resolves when it has died; the connection breaks a moment before. */
  async death(): Promise<void> {
    await this.#exited;
    expect(this.#child.signalCode).toBe('SIGKILL');
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/** One is ready while another dies: a start takes longer than a death. */
let [victim, next] = [new Victim(), new Victim()];
afterAll(async () => {
  await Promise.all([victim.end(), next.end()]);
});

async function killAtEachStep(operation: Operation): Promise<void> {
  for (let step = 1; step <= mostSteps; step++) {
    const prepared = await operation.prepare(survivor);
    const outcome = await prepared.run(await victim.dyingAt(step));
    const hasDied = outcome.status === 0;
    if (hasDied) {
      await victim.death();
      [victim, next] = [next, new Victim()];
    }
    await expectKept(survivor, prepared, outcome).catch((thrown: unknown) => {
      throw new Error(`killed at step ${step}`, { cause: thrown });
    });
    if (!hasDied) {
      expect(outcome.isAcknowledged).toBe(true);
      expect(step).toBeGreaterThan(2);
      return;
    }
  }
  throw new Error(`${operation.name} has more than ${mostSteps} steps`);
}

it.each(operations)('$name keeps its promises', killAtEachStep, 120_000);

it('the worker’s work goes on where the last one was killed', async () => {
  const upsert = operations.find(({ name }) => name === 'an upsert') as Operation;
  for (let step = 1; ; step++) {
    await expectWhole(instance);
    const prepared = await upsert.prepare(survivor);
    const outcome = await prepared.run(survivor);
    await victim.dyingAt(step);
    const isDone = await Promise.race([victim.order({ drain: true }), victim.death()]);
    await expectKept(survivor, prepared, outcome);
    if (isDone !== undefined) return expect(step).toBeGreaterThan(3);
    [victim, next] = [next, new Victim()];
  }
}, 120_000);

it('nothing is left that a repair does not remove', () => expectWhole(instance));
