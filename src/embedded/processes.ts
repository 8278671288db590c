import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Whether a process of this id runs, ours or not. One that ended and that nobody has asked about yet counts as
 * ended: below a first process that never asks (common in containers) it would stay for good.
 */
export function isAlive(pid: number): boolean {
  return isKnown(pid) && !isZombie(pid);
}

/** Whether the system knows the id, be its process a zombie or not; this is what Postgres looks at. */
export function isKnown(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function isZombie(pid: number): boolean {
  try {
    return /^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // no /proc on this system
  }
}

/** The pid of a process' parent; undefined when it is gone or the system does not tell. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const text = await run('ps', ['-o', 'ppid=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => parentFromProc(pid), // no ps in slim images
  );
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

async function parentFromProc(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''); // gone
  return /^PPid:\s*(\d+)/m.exec(status)?.[1];
}

/** The folder a process works in (Linux); undefined when it is gone, out of reach or the system does not tell. */
export async function workingFolderOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/cwd`).catch(() => undefined); // gone, or no /proc
}

/** The command line of a process; undefined when it is gone or the system does not tell. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (platform() === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // gone
    return text === '' ? undefined : text.replaceAll('\0', ' ').trim();
  }
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' })); // gone
  return stdout.trim() || undefined;
}

/** Waits until a process is gone; false when it is still there after the time. */
export async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await delay(10);
  }
  return true;
}

/** A process that listens on a port of this machine. */
export type PortHolder = {
  readonly pid: number;
  readonly command: string;
  readonly folder: string | undefined;
};

/** Finds who listens on a TCP port (Linux: through /proc, so only processes that this user may look into). */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return undefined;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || !(await holdsSocket(name, inodes))) continue;
    const pid = Number(name);
    return { pid, command: (await commandOf(pid)) ?? '?', folder: await workingFolderOf(pid) };
  }
  return undefined;
}

const LISTEN_STATE = '0A';

async function listeningInodes(port: number): Promise<Set<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')); // not Linux
  const rows = (await Promise.all(tables)).join('\n').split('\n');
  const inodes = rows.flatMap((row) => {
    const cells = row.trim().split(/\s+/);
    const inode = cells[9];
    return cells[1]?.endsWith(suffix) && cells[3] === LISTEN_STATE && inode ? [`socket:[${inode}]`] : [];
  });
  return new Set(inodes);
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const fd of await readdir(folder).catch(() => [])) {
    // another user's process, or gone
    const target = await readlink(`${folder}/${fd}`).catch(() => ''); // closed in the meantime
    if (inodes.has(target)) return true;
  }
  return false;
}
