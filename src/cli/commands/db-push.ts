import type { Command } from 'commander';
import colors from 'picocolors';
import { CommandFailure } from '../exit.ts';
import { addTargetOptions, requireTarget, type Target } from '../target.ts';
import { confirm } from '../ui/confirm.ts';
import { printEnd } from '../ui/output.ts';
import { reportMigration } from '../ui/progress.ts';

const examples = `
What is missing is listed first, and applied after a yes (or with --yes): each file in a transaction of its own,
recorded in supabase_migrations.schema_migrations as the Supabase CLI records it.

Examples:
  $ ownbase db push --db-url postgresql://postgres:secret@db.example.com/postgres --dry-run
  $ ownbase db push --db-url "$DB_URL" --yes --include-seed
  $ ownbase db push --local`;

type Options = {
  readonly dryRun?: boolean;
  readonly includeAll?: boolean;
  readonly includeRoles?: boolean;
  readonly includeSeed?: boolean;
  readonly yes?: boolean;
};

/** `ownbase db push`: applies what a database elsewhere lacks of the project. */
export function configure(command: Command): void {
  addTargetOptions(command, ['skip-missing-extensions'])
    .option('--dry-run', 'list what would be applied and change nothing')
    .option('--include-all', 'also apply files that are older than the last applied one')
    .option('--include-roles', 'also run supabase/roles.sql')
    .option('--include-seed', 'also run seed files that were not run yet')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples)
    .action(() => push(command));
}

async function push(command: Command): Promise<void> {
  const options = command.opts<Options>();
  const target = await requireTarget(command);
  const { migrate, planMigration } = await import('../../platform/migrations/run.ts');
  const wanted = settings(target, options);
  const plan = await planMigration(wanted);
  const name = target.isExternal ? 'Remote database' : 'Local database';
  if (plan.scripts.length === 0) {
    printEnd({ dryRun: options.dryRun === true, applied: [] }, `${name} is up to date.`);
    return;
  }
  const list = plan.scripts.map(
    ({ what, path }) => ` • ${colors.bold(path)}${what === 'seed' ? ' (seed)' : ''}`,
  );
  if (options.dryRun === true) {
    const text = `DRY RUN: migrations will *not* be pushed to the database.\nWould push these files:\n${list.join('\n')}`;
    printEnd({ dryRun: true, applied: plan.scripts }, text);
    return;
  }
  const question = `Do you want to push these files to the ${name.toLowerCase()}?\n${list.join('\n')}\n`;
  if (options.yes !== true && !(await confirm(question))) {
    throw new CommandFailure(`${question}Nothing was changed. Say --yes to push them.`);
  }
  await migrate(wanted);
  printEnd({ dryRun: false, applied: plan.scripts }, 'Finished ownbase db push.');
}

function settings({ config, url, ownerUrl }: Target, options: Options) {
  return {
    projectDir: config.projectDir,
    url,
    ownerUrl,
    vault: config.db.vault,
    migrations: config.db.migrationsEnabled,
    includeAll: options.includeAll === true,
    roles: options.includeRoles === true ? ('always' as const) : ('never' as const),
    seed: options.includeSeed === true && config.db.seedEnabled ? ('always' as const) : ('never' as const),
    seedPaths: config.db.seedPaths,
    skipMissingExtensions: config.db.skipMissingExtensions,
    onEvent: reportMigration,
  };
}
