import type { Command } from 'commander';
import { addTargetOptions, requireTarget } from '../target.ts';
import { printEnd } from '../ui/output.ts';
import { reportMigration } from '../ui/progress.ts';

const examples = `
Each file is one transaction together with its entry in supabase_migrations.schema_migrations.

Examples:
  $ ownbase migration up
  $ ownbase migration up --db-url postgresql://postgres:secret@db.example.com/postgres`;

/** `ownbase migration up`: applies pending migrations to the running or the named database. */
export function configure(command: Command): void {
  addTargetOptions(command, ['skip-missing-extensions'])
    .option('--include-all', 'also apply files that are older than the last applied one')
    .addHelpText('after', examples)
    .action(() => applyPending(command));
}

async function applyPending(command: Command): Promise<void> {
  const { config, url, ownerUrl } = await requireTarget(command);
  const { migrate } = await import('../../platform/migrations/run.ts');
  const { applied } = await migrate({
    projectDir: config.projectDir,
    url,
    ownerUrl,
    vault: config.db.vault,
    includeAll: command.opts().includeAll === true,
    skipMissingExtensions: config.db.skipMissingExtensions,
    onEvent: reportMigration,
  });
  printEnd(
    { applied: applied.map(({ version, name, path }) => ({ version, name, path })) },
    applied.length === 0 ? 'Local database is up to date.' : `Applied ${applied.length}.`,
  );
}
