import { type Command, Option } from 'commander';
import type { Level } from '../../platform/advisors/advice.ts';
import { CommandFailure } from '../exit.ts';
import { addTargetOptions, withClient } from '../target.ts';
import { note, printResult } from '../ui/output.ts';

const examples = `
Examines the catalog alone and changes nothing: tables that everybody can read, policies that do not hold or hold for all,
views with the rights of their owner, foreign keys without an index and the like, under the names that the Supabase CLI
gives them. What is found is printed as JSON.

Examples:
  $ ownbase db advisors
  $ ownbase db advisors --type security --level info
  $ ownbase db advisors --fail-on error      ends with code 1 when there is an error`;

const types = ['all', 'security', 'performance'] as const;
const levels = ['info', 'warn', 'error'] as const;

type Options = {
  readonly type: (typeof types)[number];
  readonly level: (typeof levels)[number];
  readonly failOn: 'none' | (typeof levels)[number];
};

/** `ownbase db advisors`: common faults of security and performance. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .addOption(new Option('--type <type>', 'what to examine').choices(types).default('all'))
    .addOption(
      new Option('--level <level>', 'what to print, from this level on').choices(levels).default('warn'),
    )
    .addOption(
      new Option('--fail-on <level>', 'what ends with code 1').choices(['none', ...levels]).default('none'),
    )
    .addHelpText('after', examples)
    .action(() => advise(command));
}

const upper = (level: (typeof levels)[number]): Level =>
  level === 'info' ? 'INFO' : level === 'warn' ? 'WARN' : 'ERROR';

async function advise(command: Command): Promise<void> {
  const { type, level, failOn } = command.opts<Options>();
  const { findAdvice, isAtLeast } = await import('../../platform/advisors/run.ts');
  const found = await withClient(command, (client, { config }) =>
    findAdvice(client, {
      exposed: config.api.schemas,
      category: type === 'all' ? null : type === 'security' ? 'SECURITY' : 'PERFORMANCE',
      atLeast: upper(level),
    }),
  );
  if (found.length === 0) note('No issues found');
  printResult(found, () => `${JSON.stringify(found, null, 2)}\n`);
  if (failOn !== 'none' && found.some((finding) => isAtLeast(finding.level, upper(failOn)))) {
    throw new CommandFailure(`fail-on is set to ${failOn}, non-zero exit`);
  }
}
