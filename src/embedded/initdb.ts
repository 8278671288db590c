import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RunAs } from './account.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedError } from './errors.ts';
import { isAlive } from './processes.ts';

/** The bootstrap superuser of each cluster, as upstream names it. */
export const OWNER_ROLE = 'supabase_admin';

const ICU = ['--locale-provider=icu', '--icu-locale=en_US.UTF-8'];

/**
 * Locale arguments, best first. Beside ICU the locale of libc covers character classes of text search and pg_trgm;
 * `C` knows no letters beyond ASCII but is always there. A Postgres built without ICU sorts by libc alone.
 */
const LOCALES: readonly (readonly string[])[] = [
  ...['C.UTF-8', 'en_US.UTF-8', 'C'].map((locale) => [...ICU, `--locale=${locale}`]),
  ...['en_US.UTF-8', 'C.UTF-8', 'C'].map((locale) => [`--locale=${locale}`]),
];

const passwordFile = (dataDir: string): string => join(dataDir, 'ownbase-owner-password');

/** The password that the cluster's owner was made with. */
export async function readOwnerPassword(dataDir: string): Promise<string> {
  try {
    return (await readFile(passwordFile(dataDir), 'utf8')).trim();
  } catch (cause) {
    throw new EmbeddedError(
      'password_missing',
      `${passwordFile(dataDir)} cannot be read, so the database in ${dataDir} was not made by ownbase or belongs to another user. Connect to it with --db-url instead, or name another data directory.`,
      { cause },
    );
  }
}

/**
 * Makes a new cluster at `dataDir`. It is made in a draft folder beside and moved into place when complete, so
 * that a crash in between leaves nothing that looks like a cluster.
 * @throws EmbeddedError `initdb_failed` with what initdb said.
 */
export async function createCluster(
  binaries: Binaries,
  dataDir: string,
  runAs: RunAs,
  options: { readonly durable: boolean; readonly ownerPassword?: string | undefined },
): Promise<void> {
  await removeAbandonedDrafts(dataDir);
  const draft = await mkdtemp(`${dataDir}.init-${process.pid}-`);
  const passwordSource = `${draft}.password`;
  try {
    await chmod(draft, 0o700);
    if (runAs) await chown(draft, runAs.uid, runAs.gid);
    const password = options.ownerPassword ?? randomBytes(24).toString('base64url');
    await writeOwned(passwordSource, password, runAs);
    await runInitdb(binaries, draft, passwordSource, runAs);
    await writeOwned(passwordFile(draft), password, runAs);
    if (options.durable) await initdb(binaries, ['--sync-only', '-D', draft], runAs);
    await moveIntoPlace(draft, dataDir);
  } finally {
    await rm(passwordSource, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

async function moveIntoPlace(draft: string, dataDir: string): Promise<void> {
  try {
    await rename(draft, dataDir);
  } catch (error) {
    // Another start made the cluster in the meantime; whether both may run is settled by the postmaster's lock.
    if (!existsSync(join(dataDir, 'PG_VERSION'))) throw error;
  }
}

async function writeOwned(path: string, text: string, runAs: RunAs): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (runAs) await chown(path, runAs.uid, runAs.gid);
}

/** Drafts carry the pid of their maker; those whose maker is gone are left-overs of a crash. */
async function removeAbandonedDrafts(dataDir: string): Promise<void> {
  const prefix = `${basename(dataDir)}.init-`;
  for (const name of await readdir(dirname(dataDir))) {
    const maker = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(maker) || isAlive(maker)) continue;
    await rm(join(dirname(dataDir), name), { recursive: true, force: true });
  }
}

async function runInitdb(binaries: Binaries, folder: string, pwfile: string, runAs: RunAs): Promise<void> {
  const fixed = [
    ...['-D', folder, '--encoding=UTF8', `--username=${OWNER_ROLE}`, `--pwfile=${pwfile}`],
    ...['--auth=scram-sha-256', '--no-sync', '--no-instructions'],
  ];
  for (const locale of LOCALES) {
    const failure = await initdb(binaries, [...fixed, ...locale], runAs).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    if (!isLackOfLocale(failure) || locale === LOCALES.at(-1)) throw failure;
  }
}

const isLackOfLocale = (failure: unknown): boolean =>
  failure instanceof EmbeddedError &&
  (failure.message.includes('invalid locale name') || failure.message.includes('ICU is not supported'));

async function initdb(binaries: Binaries, args: readonly string[], runAs: RunAs): Promise<void> {
  const child = spawn(binaries.initdb, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    // Its messages are compared with and shown: always in English.
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    ...(runAs && { uid: runAs.uid, gid: runAs.gid }),
  });
  const { code, output } = await outcome(child);
  if (code === 0) return;
  throw new EmbeddedError('initdb_failed', `initdb could not make a database:\n${output.trim()}`);
}

function outcome(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', (cause) =>
      reject(new EmbeddedError('initdb_failed', `initdb could not be run: ${cause.message}`, { cause })),
    );
    child.once('close', (code) => resolve({ code, output }));
  });
}
