import { type Command, Option } from 'commander';
import type { Snapshot } from '../../platform/schema/model.ts';
import { CommandFailure } from '../exit.ts';
import { versionOf, writeMigration } from '../migration-file.ts';
import { snapshotOf, snapshotOfMigrations } from '../schema-sides.ts';
import { addTargetOptions, requireTarget, type Target } from '../target.ts';
import { note, printResult } from '../ui/output.ts';
import { clearProgress, showProgress } from '../ui/progress-line.ts';

const examples = `
The migrations are applied to a database in a temporary folder; what the target has otherwise is printed as SQL.
Compared are schemas, extensions, enums, domains, composite types, sequences, functions, tables with columns,
constraints, indexes, views, triggers, policies, tables of publications, comments and grants, and the triggers and
policies on auth, storage and realtime. What is renamed shows as dropped and made. Owners, default privileges, aggregates,
operators, rules, foreign tables, collations, statistics objects and data are not compared; what there is of them is
counted on standard error.

Examples:
  $ ownbase db diff                                   changes made by hand in the running database
  $ ownbase db diff -f add_profiles                   as a new migration
  $ ownbase db diff --schema public,private
  $ ownbase db diff --db-url postgresql://postgres:secret@db.example.com/postgres --from local --to migrations`;

type Options = {
  readonly file?: string;
  readonly schema?: string;
  readonly from?: string;
  readonly to?: string;
};

/** `ownbase db diff`: what a database has that the migrations do not make. */
export function configure(command: Command): void {
  addTargetOptions(command, ['pg-bin', 'skip-missing-extensions'])
    .option('-f, --file <name>', 'write a new migration of that name instead of printing')
    .option('-s, --schema <names>', 'schemas to compare, separated by commas (default: all of the project)')
    .option('--from <side>', 'migrations, local, or a database URL', 'migrations')
    .option('--to <side>', 'the same (default: the database of --db-url, else of this project)')
    .addOption(new Option('--use-migra').hideHelp())
    .addOption(new Option('--use-pg-delta').hideHelp())
    .addHelpText('after', examples)
    .action(() => diff(command));
}

async function diff(command: Command): Promise<void> {
  const options = command.opts<Options>();
  const wanted = options.schema?.split(',').map((name) => name.trim()) ?? null;
  const target = await requireTarget(command);
  const from = await readSide(options.from ?? 'migrations', target, wanted);
  showProgress({ label: 'Comparing schemas' });
  const to = await readSide(options.to ?? target.url, target, wanted);
  const { compareSchemas } = await import('../../platform/schema/compare.ts');
  const { toScript } = await import('../../platform/schema/script.ts');
  const change = compareSchemas(from, to);
  clearProgress();
  for (const line of change.notes) note(line, { mark: 'NOTE: ' });
  const isEmpty = change.statements.length === 0;
  if (isEmpty) note('No schema changes found');
  const file =
    isEmpty || options.file === undefined
      ? null
      : await writeMigration(target.config.projectDir, options.file, toScript(change));
  if (file !== null) {
    note(`Wrote ${file}`);
    note(`Where it is there already: ownbase migration repair ${versionOf(file)} --status applied`);
  }
  printResult({ ...change, file }, () => (isEmpty || file !== null ? '' : toScript(change)));
}

async function readSide(side: string, target: Target, wanted: readonly string[] | null): Promise<Snapshot> {
  if (side === 'local') return snapshotOf(target.url, wanted);
  if (URL.canParse(side)) return snapshotOf(side, wanted);
  if (side === 'migrations') return snapshotOfMigrations(target.config, wanted);
  throw new CommandFailure(`A side is migrations, local or a database URL, not ${side}.`);
}
