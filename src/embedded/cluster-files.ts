import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a running (or killed) postmaster left in `postmaster.pid`. */
export type PostmasterPid = {
  readonly pid: number;
  readonly dataDir: string;
  readonly port: number | undefined;
  /** `starting`, `stopping`, `ready`, `standby`, or empty while the file is being written. */
  readonly status: string;
};

/**
 * Reads the text of a `postmaster.pid`; undefined when it is cut off before the pid and the data directory.
 * Lines: pid, data directory, start time, port, socket directory, listen address, shared memory key, status.
 */
export function parsePostmasterPid(text: string): PostmasterPid | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const [pid, dataDir, , port] = lines;
  if (!pid || !/^-?\d+$/.test(pid) || !dataDir) return undefined;
  return {
    pid: Math.abs(Number(pid)),
    dataDir,
    port: port && /^\d+$/.test(port) ? Number(port) : undefined,
    status: lines[7] ?? '',
  };
}

/** Name of the placeholder setting by which a postmaster carries the pid of the process that supervises it. */
export const SUPERVISOR_SETTING = 'ownbase.supervisor_pid';

/** The pid of the supervisor that a postmaster was started by, from the text of its `postmaster.opts`. */
export function parseSupervisorPid(postmasterOpts: string): number | undefined {
  const found = /ownbase\.supervisor_pid=(\d+)/.exec(postmasterOpts)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The `postmaster.pid` of a data directory; undefined when absent or not readable yet. */
export async function readPostmasterPid(dataDir: string): Promise<PostmasterPid | undefined> {
  const text = await readIfPresent(join(dataDir, 'postmaster.pid'));
  return text === undefined ? undefined : parsePostmasterPid(text);
}

/** The supervisor of the postmaster that last held a data directory, when it was one of ours. */
export async function readSupervisorPid(dataDir: string): Promise<number | undefined> {
  const text = await readIfPresent(join(dataDir, 'postmaster.opts'));
  return text === undefined ? undefined : parseSupervisorPid(text);
}

/** Major version of the cluster in a data directory; undefined when there is no cluster. */
export async function readClusterVersion(dataDir: string): Promise<number | undefined> {
  const text = await readIfPresent(join(dataDir, 'PG_VERSION'));
  return text === undefined ? undefined : Number.parseInt(text, 10);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
