import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type PostmasterPid, readPostmasterPid, readSupervisorPid } from './cluster-files.ts';
import { EmbeddedError } from './errors.ts';
import { commandOf, isAlive, isKnown, parentOf, waitForEnd, workingFolderOf } from './processes.ts';

const STARTING_TIMEOUT_MS = 2_000;
const FAST_STOP_TIMEOUT_MS = 15_000;
const IMMEDIATE_STOP_TIMEOUT_MS = 10_000;

/**
 * Deals with what an earlier start left in a data directory:
 *
 *     no postmaster.pid                         nothing to do
 *     its process is gone                       nothing to do, Postgres recovers by itself
 *     its pid is a zombie's or another's        the file is removed (Postgres would refuse to start)
 *     a postmaster, its supervisor is alive     another instance runs here: `data_dir_in_use`
 *     a postmaster, its supervisor is gone      an orphan: it is shut down cleanly
 */
export async function settlePreviousPostmaster(
  dataDir: string,
  notice: (text: string) => void,
): Promise<void> {
  const found = await readSettledPid(dataDir);
  if (!found || !isKnown(found.pid)) return;
  if (!isAlive(found.pid) || !(await isPostmasterOf(found.pid, dataDir))) {
    notice(`removing the stale ${join(dataDir, 'postmaster.pid')}: process ${found.pid} is not its Postgres`);
    await rm(join(dataDir, 'postmaster.pid'), { force: true });
    return;
  }
  const supervisor = await readSupervisorPid(dataDir);
  if (supervisor !== undefined && (await parentOf(found.pid)) === supervisor) {
    throw new EmbeddedError(
      'data_dir_in_use',
      `The database in ${dataDir} is in use by another ownbase (process ${supervisor}, port ${found.port ?? '?'}). Stop it first with "ownbase stop".`,
    );
  }
  notice(`stopping the Postgres that an earlier run left behind (process ${found.pid})`);
  await stopOrphan(found.pid, dataDir);
}

/** A postmaster that only just starts has not written yet whose it is: it gets a moment. */
async function readSettledPid(dataDir: string): Promise<PostmasterPid | undefined> {
  const deadline = Date.now() + STARTING_TIMEOUT_MS;
  for (;;) {
    const found = await readPostmasterPid(dataDir);
    const isStarting = found !== undefined && ['', 'starting'].includes(found.status) && isAlive(found.pid);
    if (!isStarting || Date.now() > deadline) return found;
    await delay(20);
  }
}

async function isPostmasterOf(pid: number, dataDir: string): Promise<boolean> {
  const folder = await workingFolderOf(pid);
  if (folder !== undefined) return folder === dataDir;
  return /postgres/.test((await commandOf(pid)) ?? '');
}

async function stopOrphan(pid: number, dataDir: string): Promise<void> {
  process.kill(pid, 'SIGINT');
  if (await waitForEnd(pid, FAST_STOP_TIMEOUT_MS)) return;
  process.kill(pid, 'SIGQUIT');
  if (await waitForEnd(pid, IMMEDIATE_STOP_TIMEOUT_MS)) return;
  throw new EmbeddedError(
    'data_dir_in_use',
    `A Postgres of an earlier run (process ${pid}) still holds ${dataDir} and does not stop. Look at its log, end it, and start again.`,
  );
}
