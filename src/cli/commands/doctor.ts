import type { Command } from 'commander';
import colors from 'picocolors';
import { systemClock } from '../../core/clock.ts';
import { exitCode } from '../exit.ts';
import { addTargetOptions, requireTarget } from '../target.ts';
import { printResult } from '../ui/output.ts';

const examples = `
Writes nothing. Ends with code 1 when something does not work.

Examples:
  $ ownbase doctor
  $ ownbase doctor --db-url postgresql://owner:secret@db.example.com/postgres    before the first start on it`;

/** `ownbase doctor`: examines the database of the running instance, or the named one. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .addHelpText('after', examples)
    .action(() => examineDatabase(command));
}

async function examineDatabase(command: Command): Promise<void> {
  const { config, ownerUrl } = await requireTarget(command);
  const { connect } = await import('../../pg/connect.ts');
  const { loadInstanceKeys } = await import('../../identity/instance-keys.ts');
  const { examine } = await import('../../platform/doctor/doctor.ts');
  const keys = await loadInstanceKeys(config.keys, config.projectDir);
  const client = await connect(ownerUrl);
  try {
    const apiKeys = [keys.api.anonToken, keys.api.serviceToken];
    const report = await examine({ client, clock: systemClock, apiKeys });
    printResult(report, () => `${report.map(line).join('\n')}\n`);
    if (report.some(({ status }) => status === 'fail')) process.exitCode = exitCode.failed;
  } finally {
    await client.end();
  }
}

type Diagnosis = {
  readonly title: string;
  readonly status: string;
  readonly finding?: string;
  readonly remedy?: string;
};

const marks: Readonly<Record<string, string>> = {
  ok: colors.green('ok  '),
  warn: colors.yellow('warn'),
  fail: colors.red('fail'),
};

function line({ title, status, finding, remedy }: Diagnosis): string {
  const head = `${marks[status] ?? status}  ${title}`;
  return finding === undefined ? head : `${head}\n        ${finding}\n        ${remedy ?? ''}`;
}
