import { type Command, Option } from 'commander';
import type { SchemaChange } from '../../platform/schema/compare.ts';
import { CommandFailure } from '../exit.ts';
import { versionOf, writeMigration } from '../migration-file.ts';
import { snapshotOf, snapshotOfMigrations } from '../schema-sides.ts';
import { addTargetOptions, requireTarget, type Target } from '../target.ts';
import { confirm } from '../ui/confirm.ts';
import { note, printEnd } from '../ui/output.ts';

const examples = `
Writes a new migration with what the database has and the migrations do not make: all of the project where there are no
migrations yet, else what was changed by hand (what "ownbase help db diff" lists is compared). The history of the
database must say what supabase/migrations says. After a yes, or with --yes, the new migration is recorded there as
applied.

Examples:
  $ ownbase db pull --db-url "$OLD_DB_URL"                  the first migration of a project that had none
  $ ownbase db pull add_profiles --yes --db-url "$DB_URL"
  $ ownbase db pull --local --schema public,private`;

type Options = { readonly schema?: string; readonly yes?: boolean };

/** `ownbase db pull`: a migration from what a database has. */
export function configure(command: Command): void {
  addTargetOptions(command, ['pg-bin', 'skip-missing-extensions'])
    .argument('[name]', 'name of the migration', 'remote_schema')
    .option('-s, --schema <names>', 'schemas to compare, separated by commas (default: all of the project)')
    .option('-y, --yes', 'record the migration without asking')
    .addOption(new Option('--diff-engine <name>').hideHelp())
    .addHelpText('after', examples)
    .action((name: string) => pull(command, name));
}

async function pull(command: Command, name: string): Promise<void> {
  const { schema, yes } = command.opts<Options>();
  const target = await requireTarget(command);
  await demandSameHistory(target);
  const change = await changeOf(target, schema?.split(',').map((part) => part.trim()) ?? null);
  for (const line of change.notes) note(line, { mark: 'NOTE: ' });
  if (change.statements.length === 0) throw new CommandFailure('No schema changes found');
  const { toScript } = await import('../../platform/schema/script.ts');
  const { projectDir } = target.config;
  const path = await writeMigration(projectDir, name, toScript(change));
  note(`Schema written to ${path}`);
  const recorded = yes === true || (await confirm('Update remote migration history table?'));
  if (recorded) {
    const { repairHistory } = await import('../../platform/migrations/repair.ts');
    await repairHistory({ projectDir, url: target.url, versions: [versionOf(path)], status: 'applied' });
  }
  printEnd(
    { path, recorded },
    recorded
      ? 'Recorded as applied in the history of the database.'
      : 'The history of the database was left alone: "ownbase migration repair --status applied" records it.',
  );
}

/** Compares the database with what the migrations make, or with nothing at all where there are none. */
async function changeOf(target: Target, schemas: readonly string[] | null): Promise<SchemaChange> {
  const { compareSchemas } = await import('../../platform/schema/compare.ts');
  return compareSchemas(
    await snapshotOfMigrations(target.config, schemas),
    await snapshotOf(target.url, schemas),
  );
}

/** A migration made on top of another history could never be applied after the files that are there. */
async function demandSameHistory({ config, url }: Target): Promise<void> {
  const { listMigrations } = await import('../../platform/migrations/project-files.ts');
  const { readHistory } = await import('../../platform/migrations/history.ts');
  const { connect } = await import('../../pg/connect.ts');
  const client = await connect(url, { applicationName: 'ownbase migrations' });
  try {
    const { versions } = await readHistory(client);
    const local = (await listMigrations(config.projectDir)).map(({ version }) => version);
    const fixes = [
      ...versions.filter((version) => !local.includes(version)).map((version) => `reverted ${version}`),
      ...local.filter((version) => !versions.includes(version)).map((version) => `applied ${version}`),
    ];
    if (fixes.length === 0) return;
    const isOnlyThere = versions.some((version) => !local.includes(version));
    const fetching = isOnlyThere ? ', or take the files out of it with "ownbase migration fetch"' : '';
    throw new CommandFailure(
      `The remote database's migration history does not match local files in supabase/migrations directory.\n\nMake sure your local git repo is up-to-date. If the error persists, try repairing the migration history table${fetching}:\n${fixes.map((fix) => `ownbase migration repair --status ${fix}`).join('\n')}`,
    );
  } finally {
    await client.end();
  }
}
