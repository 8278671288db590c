import { type Command, Option } from 'commander';
import { CommandFailure } from '../exit.ts';
import { addTargetOptions, withClient } from '../target.ts';
import { note, printResult } from '../ui/output.ts';

const examples = `
The extension plpgsql_check examines every PL/pgSQL function: wrong names, wrong types, unused variables. It is
loaded for the check alone. What is found is printed as JSON.

Examples:
  $ ownbase db lint
  $ ownbase db lint --schema public,private --level error
  $ ownbase db lint --fail-on error      ends with code 1 when there is an error`;

const levels = ['warning', 'error'] as const;
type Level = (typeof levels)[number];

/** `ownbase db lint`: errors in PL/pgSQL functions. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .option('-s, --schema <names>', 'schemas to check, separated by commas (default: all of the project)')
    .addOption(new Option('--level <level>', 'what to print').choices(levels).default('warning'))
    .addOption(
      new Option('--fail-on <level>', 'what ends with code 1').choices(['none', ...levels]).default('none'),
    )
    .addHelpText('after', examples)
    .action(() => lint(command));
}

async function lint(command: Command): Promise<void> {
  const { schema, level, failOn } = command.opts<{ schema?: string; level: Level; failOn: Level | 'none' }>();
  const { lintFunctions, severity } = await import('../../platform/inspect/lint.ts');
  const found = await withClient(command, (client) => lintFunctions(client, schema?.split(',')));
  if (found === 'no_extension') {
    throw new CommandFailure(
      'The check needs the extension plpgsql_check, which this Postgres lacks. Name one that has it with --db-url, or start with --pg-bin.',
    );
  }
  const shown = found.flatMap(({ function: name, issues }) => {
    const severe = issues.filter((issue) => severity(issue) >= levels.indexOf(level));
    return severe.length === 0 ? [] : [{ function: name, issues: severe }];
  });
  if (shown.length === 0) note('No schema errors found');
  printResult(shown, () => `${JSON.stringify(shown, null, 2)}\n`);
  const limit = failOn === 'none' ? Number.POSITIVE_INFINITY : levels.indexOf(failOn);
  if (shown.some(({ issues }) => issues.some((issue) => severity(issue) >= limit))) {
    throw new CommandFailure(`fail-on is set to ${failOn}, non-zero exit`);
  }
}
