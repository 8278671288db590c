import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readlink,
  realpath,
  rm,
  symlink,
  unlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { canEnter, type RunAs } from './account.ts';

/** The kernel's limit for the path of a Unix socket, without the closing zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Beginning of the name of a folder that holds a data directory which is not in its wanted place. */
const STAGED_PREFIX = 'ownbase-data-';

/**
 * Settles the data directory's real place. It is the one asked for, unless Postgres' account cannot enter the
 * folders above it (a home of mode 0700, `mktemp -d`): then a folder that it can enter is made, and a link in
 * the place asked for leads there from then on.
 */
export async function placeDataDir(
  wanted: string,
  runAs: RunAs,
  notice: (text: string) => void,
): Promise<string> {
  await mkdir(dirname(wanted), { recursive: true });
  const existing = await lstat(wanted).catch(() => undefined); // not there: the first start
  if (existing?.isSymbolicLink()) {
    const target = await realpath(wanted).catch(() => undefined);
    if (target !== undefined) return target;
    notice(`${wanted} leads to ${await readlink(wanted)}, which is gone: starting with an empty database`);
    await unlink(wanted);
  }
  const place = join(await realpath(dirname(wanted)), wanted.slice(dirname(wanted).length + 1));
  if (await canEnter(runAs, dirname(place))) return place;
  return existing?.isDirectory() ? place : stageDataDir(place, runAs, notice);
}

async function stageDataDir(place: string, runAs: RunAs, notice: (text: string) => void): Promise<string> {
  const temporary = await realpath(tmpdir());
  // Data of a throw-away project stays with the throw-away files; other data must outlive a cleaning of them.
  const base = place.startsWith(temporary + sep) ? temporary : '/var/lib/ownbase';
  await mkdir(base, { recursive: true, mode: 0o755 });
  const folder = await mkdtemp(join(base, STAGED_PREFIX));
  await chmod(folder, 0o755);
  const target = join(folder, 'postgres');
  await makeOwned(target, runAs);
  await symlink(target, place);
  notice(`Postgres runs as ${runAs?.name} and cannot enter ${dirname(place)}: its data is in ${target}`);
  return target;
}

/** The real place of a data directory; undefined when there is none. */
export async function realDataDir(dataDir: string): Promise<string | undefined> {
  return realpath(dataDir).catch(() => undefined); // never made, or its real place is gone
}

/** Deletes a data directory, wherever its real place is. No server may run on it. */
export async function removeDataDir(dataDir: string): Promise<void> {
  const target = await realDataDir(dataDir);
  if (target !== undefined && basename(dirname(target)).startsWith(STAGED_PREFIX)) {
    await rm(dirname(target), { recursive: true, force: true });
  }
  await rm(dataDir, { recursive: true, force: true });
}

/** Chooses the folder of the server's socket: beside the data, or in the temp folder when the path is too long. */
export async function placeSocketDir(dataDir: string, port: number, runAs: RunAs): Promise<string> {
  const beside = join(dirname(dataDir), 'run');
  const socket = join(beside, `.s.PGSQL.${port}`);
  if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES && (await makeOwned(beside, runAs))) return beside;
  const digest = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const short = join(tmpdir(), `ownbase-${digest}`);
  if (await makeOwned(short, runAs)) return short;
  const fresh = await mkdtemp(join(tmpdir(), 'ownbase-'));
  await makeOwned(fresh, runAs);
  return fresh;
}

/** Makes a folder that only the account can enter; false when something else stands there. */
async function makeOwned(folder: string, runAs: RunAs): Promise<boolean> {
  const uid = runAs?.uid ?? process.getuid?.();
  try {
    await mkdir(folder, { mode: 0o700 });
    if (runAs) await chown(folder, runAs.uid, runAs.gid);
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const found = await lstat(folder);
  if (!found.isDirectory()) return false;
  if (uid === undefined || found.uid === uid) return true;
  if (process.getuid?.() !== 0 || !runAs || found.uid !== 0) return false;
  await chown(folder, runAs.uid, runAs.gid); // made by root in an earlier start under another account
  return true;
}
