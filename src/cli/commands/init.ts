import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { CommandFailure } from '../exit.ts';
import { addProjectOption, projectDirOf } from '../project-options.ts';
import { printEnd } from '../ui/output.ts';

const examples = `
The file holds every setting with its default and what it does; the Supabase CLI reads it too. Migrations go to
supabase/migrations, seed data to supabase/seed.sql.

Examples:
  $ ownbase init
  $ ownbase init --project ../app
  $ ownbase init --force      write supabase/config.toml anew`;

const IGNORED = ['.branches', '.temp', '.env.keys', '.env.local', '.env.*.local', 'signing_keys.json'];

/** `ownbase init`: makes `supabase/config.toml` and `supabase/.gitignore`. */
export function configure(command: Command): void {
  addProjectOption(command)
    .option('--force', 'overwrite a supabase/config.toml that is there')
    .addHelpText('after', examples)
    .action(() => initialize(command));
}

async function initialize(command: Command): Promise<void> {
  const { force } = command.opts<{ force?: boolean }>();
  const projectDir = projectDirOf(command);
  const { configToml } = await import('../scaffold/config-toml.ts');
  const folder = join(projectDir, 'supabase');
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'config.toml');
  try {
    await writeFile(config, configToml(projectIdOf(projectDir)), { flag: force === true ? 'w' : 'wx' });
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
    throw new CommandFailure(`${config} is there already. Say --force to write it anew.`);
  }
  const ignoring = await addIgnored(join(folder, '.gitignore'));
  printEnd({ config, gitignore: ignoring }, 'Finished ownbase init.');
}

/** The folder's name, as far as the Supabase CLI takes it for an id. */
const projectIdOf = (projectDir: string): string =>
  basename(projectDir)
    .replaceAll(/[^a-zA-Z0-9_.-]+/g, '_')
    .replace(/^[_.-]+/, '')
    .slice(0, 40) || 'project';

/** Adds what is missing, and leaves what is there. */
async function addIgnored(path: string): Promise<string> {
  const present = await readFile(path, 'utf8').catch(() => ''); // none yet
  const lines = new Set(present.split('\n').map((line) => line.trim()));
  const missing = IGNORED.filter((line) => !lines.has(line));
  if (missing.length === 0) return path;
  const gap = present === '' || present.endsWith('\n') ? '' : '\n';
  await writeFile(path, `${present}${gap}${missing.join('\n')}\n`);
  return path;
}
