import type { Command } from 'commander';
import colors from 'picocolors';
import type { Config } from '../../config/load.ts';
import type { InstanceKeys } from '../../identity/instance-keys.ts';
import { sortedValues } from '../encode.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { findInstance } from '../instance-file.ts';
import { addConfigOptions, addProjectOption, loadProject } from '../project-options.ts';
import { printResult, printStage, warn } from '../ui/output.ts';
import { statusTable } from '../ui/status-table.ts';

const examples = `
Without --db-url an embedded Postgres is started and kept under .ownbase/ of the project. Pending migrations are
applied at each start; seeds only into a fresh database. Ctrl-C lets running requests finish; a second one does not.

Ends with 0 when it was stopped, 1 when the configuration is wrong, 2 when it could not start, 3 when requests were
still running after the time to drain.

Examples:
  $ ownbase start
  $ ownbase start --project ../app --port 8000 --db-port 5433
  $ ownbase start --detach && ownbase status
  $ ownbase start --pg-bin /usr/lib/postgresql/17/bin        an installed Postgres with its extensions
  $ ownbase start --db-url postgresql://owner:secret@db:5432/postgres --migrate`;

/** `ownbase start`: runs the backend of a project until it is asked to stop. */
export function configure(command: Command): void {
  addConfigOptions(addProjectOption(command))
    .option('--detach', 'run in the background; return when it answers')
    .addHelpText('after', examples)
    .action(() => start(command));
}

async function start(command: Command): Promise<void> {
  const { config, warnings } = loadProject(command);
  for (const warning of warnings) warn(warning, { mark: `${colors.yellow('!')} ` });
  const { loadInstanceKeys } = await import('../../identity/instance-keys.ts');
  const keys = await loadInstanceKeys(config.keys, config.projectDir);
  guardDemoKeys(config, keys);
  const running = await findInstance(config.projectDir);
  if (running) {
    throw new CommandFailure(
      `A backend runs for this project already, at ${running.url} (process ${running.pid}).`,
      exitCode.startFailed,
    );
  }
  const { detach } = command.opts<{ detach?: boolean }>();
  if (detach === true) {
    const { startDetached } = await import('../detach.ts');
    const values = await startDetached(config.projectDir);
    printResult(sortedValues(values), () => `${statusTable(values)}\n`);
    return;
  }
  const { runInstance } = await import('../run-instance.ts');
  process.exitCode = await runInstance(config, keys, (values) =>
    printStage('ready', { values: sortedValues(values) }, () =>
      process.stdout.write(`${statusTable(values)}\n`),
    ),
  );
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1']);

/** The public development keys open a backend to everybody who can reach it. */
function guardDemoKeys({ gateway }: Config, keys: InstanceKeys): void {
  if (!keys.isDemo) return;
  const remedy =
    'Make keys of your own with "ownbase keys --generate", or set JWT_SECRET, ANON_KEY and SERVICE_ROLE_KEY.';
  if (process.env.NODE_ENV === 'production') {
    throw new CommandFailure(`The public development keys are refused with NODE_ENV=production. ${remedy}`);
  }
  if (LOOPBACK.has(gateway.host)) return;
  const warning = `Anybody who reaches ${gateway.host}:${gateway.port} can read and change everything: the API keys are the public development keys. ${remedy}`;
  warn(warning, { mark: `${colors.red(colors.bold('WARNING'))} ` });
}
