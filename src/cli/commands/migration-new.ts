import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { CommandFailure } from '../exit.ts';
import { addProjectOption, projectDirOf } from '../project-options.ts';

const examples = `
What is piped in becomes the content of the file.

Examples:
  $ ownbase migration new add_posts
  $ pg_dump --schema-only "$OLD_DB" | ownbase migration new import`;

/** `ownbase migration new`: makes `supabase/migrations/<UTC time>_<name>.sql`. */
export function configure(command: Command): void {
  addProjectOption(command)
    .argument('<name>', 'what the migration does, for example add_posts')
    .option('--json', 'print the path as JSON')
    .addHelpText('after', examples)
    .action((name: string) => makeMigration(projectDirOf(command), name, command.opts().json === true));
}

async function makeMigration(projectDir: string, name: string, asJson: boolean): Promise<void> {
  if (/[/\\\0]/.test(name))
    throw new CommandFailure('The name of a migration becomes a file name: leave out slashes.');
  const version = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const path = join('supabase', 'migrations', `${version}_${name}.sql`);
  await mkdir(join(projectDir, 'supabase', 'migrations'), { recursive: true });
  await writeFile(join(projectDir, path), (await hasPipe()) ? await text(process.stdin) : '', { flag: 'wx' });
  process.stdout.write(
    asJson ? `${JSON.stringify({ version, path })}\n` : `Created new migration at ${path}\n`,
  );
}

/** Whether something was piped or redirected in; a terminal or nothing at all is not waited for. */
async function hasPipe(): Promise<boolean> {
  const { fstatSync } = await import('node:fs');
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isFile();
  } catch {
    return false; // standard input is closed
  }
}
