import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommandFailure } from './exit.ts';

/** Writes `supabase/migrations/<UTC time>_<name>.sql` and yields its path in the project. */
export async function writeMigration(projectDir: string, name: string, text: string): Promise<string> {
  if (/[/\\\0]/.test(name))
    throw new CommandFailure('The name of a migration becomes a file name: leave out slashes.');
  const version = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const path = join('supabase', 'migrations', `${version}_${name}.sql`);
  await mkdir(join(projectDir, 'supabase', 'migrations'), { recursive: true });
  await writeFile(join(projectDir, path), text, { flag: 'wx' });
  return path;
}

/** The version of a migration by the path of its file. */
export const versionOf = (path: string): string => /^\d+/.exec(basename(path))?.[0] ?? '';
