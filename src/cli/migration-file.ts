import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommandFailure } from './exit.ts';

/**
 * Writes `supabase/migrations/<UTC time>_<name>.sql` and yields its path in the project. The version is a later time
 * where another file has the present one: a history holds each version once.
 */
export async function writeMigration(projectDir: string, name: string, text: string): Promise<string> {
  if (/[/\\\0]/.test(name))
    throw new CommandFailure('The name of a migration becomes a file name: leave out slashes.');
  const folder = join('supabase', 'migrations');
  await mkdir(join(projectDir, folder), { recursive: true });
  const taken = new Set((await readdir(join(projectDir, folder))).map(versionOf));
  const path = join(folder, `${freeVersion(new Date(), taken)}_${name}.sql`);
  await writeFile(join(projectDir, path), text, { flag: 'wx' });
  return path;
}

function freeVersion(time: Date, taken: ReadonlySet<string>): string {
  const version = time.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  return taken.has(version) ? freeVersion(new Date(time.getTime() + 1000), taken) : version;
}

/** The version of a migration by the path of its file. */
export const versionOf = (path: string): string => /^\d+/.exec(basename(path))?.[0] ?? '';
