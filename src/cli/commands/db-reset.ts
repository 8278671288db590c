import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import { CommandFailure } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import { loadProject } from '../project-options.ts';
import { applyProject, type ResetFacts, resetProject } from '../reset-project.ts';
import { addTargetOptions, findTarget } from '../target.ts';
import { confirm } from '../ui/confirm.ts';
import { note, printEnd } from '../ui/output.ts';
import { reportPreparation } from '../ui/progress.ts';

const examples = `
Everything that the project made is dropped: its schemas and tables, users, buckets, vault secrets, policies. A
backend that runs goes on running. Without one, the embedded database is made anew.

Examples:
  $ ownbase db reset
  $ ownbase db reset --no-seed
  $ ownbase db reset --version 20240101000000    stop after this migration`;

/** `ownbase db reset`: back to the migrations and seeds of the project. */
export function configure(command: Command): void {
  addTargetOptions(command, ['pg-bin', 'db-port', 'skip-missing-extensions'])
    .option('--no-seed', 'leave the tables without the seed data')
    .option('--version <version>', 'apply migrations up to this one')
    .option('--last <n>', 'leave out the last n migrations')
    .option('-y, --yes', 'do not ask before an external database is emptied')
    .addHelpText('after', examples)
    .action(() => resetDatabase(command));
}

type Options = {
  readonly seed?: boolean;
  readonly version?: string;
  readonly last?: string;
  readonly yes?: boolean;
};

async function resetDatabase(command: Command): Promise<void> {
  const options = command.opts<Options>();
  const target = await findTarget(command);
  const upTo = await lastVersion(target?.config ?? loadProject(command).config, options);
  if (!target) return recreate(loadProject(command).config, options, upTo);
  if (target.isExternal && options.yes !== true) {
    const host = new URL(target.url).host;
    if (!(await confirm(`Drop everything that the project made in the database on ${host}?`))) {
      throw new CommandFailure('Nothing was changed. Say --yes to empty an external database.');
    }
  }
  finish(await resetProject(target, { seed: options.seed, upTo }));
}

const finish = (facts: ResetFacts): void => printEnd(facts, 'The database is reset.');

/** Nothing runs: the cluster is deleted and made again. */
async function recreate(config: Config, options: Options, upTo: string | undefined): Promise<void> {
  const { removeDataDir, realDataDir } = await import('../../embedded/placement.ts');
  const { settlePreviousPostmaster } = await import('../../embedded/previous-postmaster.ts');
  const { prepareDatabase } = await import('../../app/prepare-database.ts');
  const { stateDir } = await import('../../app/directories.ts');
  const { loadInstanceKeys } = await import('../../identity/instance-keys.ts');
  const dataDir = join(stateDir(config.projectDir), 'postgres');
  const place = await realDataDir(dataDir);
  if (place !== undefined) await settlePreviousPostmaster(place, (text) => note(text));
  await removeDataDir(dataDir);
  const keys = await loadInstanceKeys(config.keys, config.projectDir);
  const bare: Config = { ...config, db: { ...config.db, migrate: false, seed: false } };
  const signal = interruption();
  const prepared = await prepareDatabase(bare, keys, reportPreparation).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
  // Without its server the work fails wherever it is.
  const end = (): void => void prepared.embedded?.stop();
  signal.addEventListener('abort', end);
  try {
    signal.throwIfAborted();
    const made = { config, url: prepared.publicUrl, ownerUrl: prepared.urls.owner };
    finish(await applyProject(made, { seed: options.seed, upTo }));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    await prepared.embedded?.stop();
  }
}

/** The last version to apply; undefined for all. */
async function lastVersion(config: Config, { version, last }: Options): Promise<string | undefined> {
  if (version === undefined && last === undefined) return undefined;
  const { listMigrations } = await import('../../platform/migrations/project-files.ts');
  const versions = (await listMigrations(config.projectDir)).map((file) => file.version);
  if (version !== undefined) {
    if (versions.includes(version)) return version;
    throw new CommandFailure(`There is no migration ${version} in supabase/migrations.`);
  }
  const count = Number(last);
  if (!Number.isInteger(count) || count < 1) throw new CommandFailure('--last takes a number from 1 on.');
  return versions.at(-count - 1) ?? '';
}
