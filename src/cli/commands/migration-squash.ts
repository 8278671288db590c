import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import type { MigrationFile } from '../../platform/migrations/project-files.ts';
import { CommandFailure } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import { loadProject } from '../project-options.ts';
import { addTargetOptions } from '../target.ts';
import { note, printEnd } from '../ui/output.ts';
import { reportMigration } from '../ui/progress.ts';

const examples = `
The migrations are applied to a database in a temporary folder; the last file then makes what all of them made, and
the others are deleted. Data that migrations wrote is lost: it belongs into a seed file. A database that has the old
migrations needs "ownbase migration repair --status applied" afterwards.

Examples:
  $ ownbase migration squash
  $ ownbase migration squash --version 20240101000000    this one and those before it
  $ ownbase migration repair --status applied --yes`;

/** `ownbase migration squash`: one migration in the place of many. */
export function configure(command: Command): void {
  addTargetOptions(command, ['pg-bin', 'skip-missing-extensions'])
    .option('--version <version>', 'the last migration to squash (default: all)')
    .addHelpText('after', examples)
    .action(() => squash(command));
}

async function squash(command: Command): Promise<void> {
  const { version } = command.opts<{ version?: string }>();
  const { config } = loadProject(command);
  const { listMigrations } = await import('../../platform/migrations/project-files.ts');
  const all = await listMigrations(config.projectDir);
  const index = version === undefined ? all.length - 1 : all.findIndex((file) => file.version === version);
  const last = all[index];
  if (last === undefined) {
    throw new CommandFailure(
      version === undefined
        ? 'There are no migrations in supabase/migrations.'
        : `There is no migration ${version} in supabase/migrations.`,
    );
  }
  const merged = all.slice(0, index);
  if (merged.length === 0) {
    printEnd({ migration: last.path, removed: [] }, `${last.path} is already the earliest migration.`);
    return;
  }
  const text = await squashed(config, last);
  await writeFile(join(config.projectDir, last.path), text);
  for (const { path } of merged) await rm(join(config.projectDir, path));
  printEnd(
    { migration: last.path, removed: merged.map(({ path }) => path) },
    `Squashed local migrations to ${last.path}\nRun ownbase migration repair --status applied to update the history of a database.`,
  );
}

async function squashed(config: Config, last: MigrationFile): Promise<string> {
  const { withShadowDatabase } = await import('../../app/shadow-database.ts');
  const { connect } = await import('../../pg/connect.ts');
  const { readSnapshot } = await import('../../platform/schema/read.ts');
  const { compareSchemas } = await import('../../platform/schema/compare.ts');
  const { toScript } = await import('../../platform/schema/script.ts');
  note('Applying migrations to a database in a temporary folder...');
  const options = { onEvent: reportMigration, signal: interruption() };
  const change = await withShadowDatabase(config, options, async (shadow) => {
    const client = await connect(shadow.url, { applicationName: 'ownbase squash' });
    try {
      const before = await readSnapshot(client);
      await shadow.migrate(last.version);
      return compareSchemas(before, await readSnapshot(client));
    } finally {
      await client.end();
    }
  });
  for (const line of change.notes) note(line, { mark: 'NOTE: ' });
  return toScript(change);
}
