import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EmbeddedError } from './errors.ts';

/** The operating-system user whose processes and files Postgres is. */
type Account = { readonly name: string; readonly uid: number; readonly gid: number };

/** The account of the current process needs no switch: `undefined` stands for it. */
export type RunAs = Account | undefined;

/** One line of the password file. */
type PasswdEntry = Account;

/** Reads the entries of a password file's text; lines that do not parse are left out. */
export function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !uid || !gid || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** The uid of the nearest existing ancestor of a path, the path itself included. */
async function ownerOf(path: string): Promise<number> {
  for (let current = path; ; current = dirname(current)) {
    const found = await stat(current).catch(() => undefined); // not there yet: its parent decides
    if (found) return found.uid;
    if (current === dirname(current)) return 0;
  }
}

/**
 * Chooses the account for Postgres, which refuses to run as root: the one asked for by name, else the owner of
 * the data directory (or of the folder it will be made in), else `postgres`, else `nobody`. An ordinary user
 * runs it as themselves.
 * @throws EmbeddedError `account_unusable` when root asked for an account that is not in the password file.
 */
export async function chooseAccount(dataDir: string, wanted: string | undefined): Promise<RunAs> {
  if (process.getuid?.() !== 0) return undefined;
  const entries = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  if (wanted !== undefined) {
    const entry = entries.find(({ name }) => name === wanted);
    if (entry && entry.uid !== 0) return entry;
    throw new EmbeddedError(
      'account_unusable',
      entry
        ? `Postgres refuses to run as ${wanted}: name an account without root's rights in OWNBASE_PG_USER.`
        : `OWNBASE_PG_USER names ${wanted}, which is not in /etc/passwd.`,
    );
  }
  const owner = await ownerOf(dataDir);
  const candidate =
    entries.find(({ uid }) => uid === owner && uid !== 0) ??
    entries.find(({ name }) => name === 'postgres') ??
    entries.find(({ name }) => name === 'nobody');
  if (candidate) return candidate;
  throw new EmbeddedError(
    'account_unusable',
    'Postgres refuses to run as root and there is no account "postgres" or "nobody" to run it as: name one in OWNBASE_PG_USER.',
  );
}

/** Whether the account can enter a folder and all folders above it, by the permission bits. */
export async function canEnter(runAs: RunAs, folder: string): Promise<boolean> {
  if (!runAs) return true;
  for (let current = folder; ; current = dirname(current)) {
    const found = await stat(current).catch(() => undefined); // not there yet: will be made with our own modes
    if (found && !hasExecuteBit(found, runAs)) return false;
    if (current === dirname(current)) return true;
  }
}

function hasExecuteBit(entry: { mode: number; uid: number; gid: number }, account: Account): boolean {
  if (entry.uid === account.uid) return (entry.mode & 0o100) !== 0;
  if (entry.gid === account.gid) return (entry.mode & 0o010) !== 0;
  return (entry.mode & 0o001) !== 0;
}
