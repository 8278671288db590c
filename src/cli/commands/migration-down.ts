import type { Command } from 'commander';
import { CommandFailure } from '../exit.ts';
import { resetProject } from '../reset-project.ts';
import { addTargetOptions, requireTarget } from '../target.ts';
import { confirm } from '../ui/confirm.ts';
import { note, printEnd } from '../ui/output.ts';

const examples = `
There are no scripts that undo a migration: everything that the project made is dropped, all data with it, and the
migrations that remain are applied again, then the seeds. Asks first, or wants --yes.

Examples:
  $ ownbase migration down                takes the last migration back
  $ ownbase migration down --last 3 --yes
  $ ownbase db reset                      takes all back and applies them anew`;

type Options = { readonly last: string; readonly yes?: boolean };

/** `ownbase migration down`: back to an earlier migration. */
export function configure(command: Command): void {
  addTargetOptions(command, ['skip-missing-extensions'])
    .option('--last <n>', 'how many of the applied migrations to take back', '1')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples)
    .action(() => takeBack(command));
}

async function takeBack(command: Command): Promise<void> {
  const { last, yes } = command.opts<Options>();
  const count = Number(last);
  if (!Number.isInteger(count) || count < 1) throw new CommandFailure('--last must be greater than 0');
  const target = await requireTarget(command);
  const versions = await appliedVersions(target.url);
  const upTo = versions.at(-count - 1);
  if (versions.length <= count || upTo === undefined) {
    throw new CommandFailure(
      `--last must be smaller than total applied migrations: ${versions.length}\nTry ownbase db reset if you want to revert all migrations.`,
    );
  }
  const reverted = versions.slice(-count);
  const list = reverted.map((version) => ` • ${version}\n`).join('');
  const question = `Do you want to revert the following migrations?\n${list}WARNING: you will lose all data in this database.`;
  if (yes !== true && !(await confirm(question))) {
    throw new CommandFailure(`${question}\nNothing was changed. Say --yes to revert them.`);
  }
  note(`Resetting database to version: ${upTo}`);
  const facts = await resetProject(target, { upTo });
  printEnd({ version: upTo, reverted, ...facts }, `The database is at version ${upTo}.`);
}

async function appliedVersions(url: string): Promise<readonly string[]> {
  const { connect } = await import('../../pg/connect.ts');
  const { readHistory } = await import('../../platform/migrations/history.ts');
  const client = await connect(url, { applicationName: 'ownbase migrations' });
  try {
    return (await readHistory(client)).versions;
  } finally {
    await client.end();
  }
}
