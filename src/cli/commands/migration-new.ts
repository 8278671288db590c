import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { writeMigration } from '../migration-file.ts';
import { addProjectOption, projectDirOf } from '../project-options.ts';
import { printResult } from '../ui/output.ts';

const examples = `
What is piped in becomes the content of the file.

Examples:
  $ ownbase migration new add_posts
  $ pg_dump --schema-only "$OLD_DB" | ownbase migration new import`;

/** `ownbase migration new`: makes `supabase/migrations/<UTC time>_<name>.sql`. */
export function configure(command: Command): void {
  addProjectOption(command)
    .argument('<name>', 'what the migration does, for example add_posts')
    .addHelpText('after', examples)
    .action((name: string) => makeMigration(projectDirOf(command), name));
}

async function makeMigration(projectDir: string, name: string): Promise<void> {
  const path = await writeMigration(projectDir, name, (await hasPipe()) ? await text(process.stdin) : '');
  printResult({ path }, () => `Created new migration at ${path}\n`);
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
