import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { writeMigration } from '../migration-file.ts';
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
  const path = await writeMigration(projectDir, name, (await hasPipe()) ? await text(process.stdin) : '');
  process.stdout.write(asJson ? `${JSON.stringify({ path })}\n` : `Created new migration at ${path}\n`);
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
