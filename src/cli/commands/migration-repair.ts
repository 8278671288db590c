import { type Command, Option } from 'commander';
import { CommandFailure } from '../exit.ts';
import { addTargetOptions, requireTarget } from '../target.ts';
import { confirm } from '../ui/confirm.ts';
import { printEnd } from '../ui/output.ts';

const examples = `
Changes supabase_migrations.schema_migrations and nothing else: no file is applied and nothing is undone. Without
versions, --status applied makes the history say what the files say, and --status reverted empties it.

Examples:
  $ ownbase migration repair 20240101000000 --status applied
  $ ownbase migration repair 20240101000000 20240102000000 --status reverted
  $ ownbase migration repair --status applied --yes --db-url postgresql://postgres:secret@db.example.com/postgres`;

/** `ownbase migration repair`: corrects the migration history. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .argument('[version...]', 'versions to correct; all when none is given')
    .addOption(
      new Option('--status <status>', 'what the history shall say')
        .choices(['applied', 'reverted'])
        .makeOptionMandatory(),
    )
    .option('-y, --yes', 'do not ask before the whole history is changed')
    .addHelpText('after', examples)
    .action((versions: string[]) => repair(command, versions));
}

async function repair(command: Command, versions: readonly string[]): Promise<void> {
  const { status, yes } = command.opts<{ status: 'applied' | 'reverted'; yes?: boolean }>();
  const invalid = versions.find((version) => !/^\d+$/.test(version));
  if (invalid !== undefined) throw new CommandFailure(`failed to parse ${invalid}: invalid version number`);
  const { config, url } = await requireTarget(command);
  const all = versions.length === 0;
  const question = 'Do you want to repair the entire migration history table to match local migration files?';
  if (all && yes !== true && !(await confirm(question))) {
    throw new CommandFailure('Nothing was changed. Say --yes to change the whole history.');
  }
  const { repairHistory } = await import('../../platform/migrations/repair.ts');
  const changed = await repairHistory({ projectDir: config.projectDir, url, versions, status });
  printEnd(
    { status, versions: changed },
    `Repaired migration history: [${changed.join(' ')}] => ${status}\nRun ownbase migration list to show the updated migration history.`,
  );
}
