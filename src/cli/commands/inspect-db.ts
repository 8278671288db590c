import type { Command } from 'commander';
import type { CommandModule } from '../command-module.ts';
import { CommandFailure } from '../exit.ts';
import { addTargetOptions, withClient } from '../target.ts';
import { note, printResult } from '../ui/output.ts';
import { columns } from '../ui/table.ts';

/** Message when pg_stat_statements is not there. */
export const NO_STATEMENTS =
  'The report needs pg_stat_statements: load it by shared_preload_libraries and run "create extension pg_stat_statements".';

/** `ownbase inspect db NAME`: the report of a name; `calledBy` is the word on the command line. */
export function inspection(name: string, calledBy: string): CommandModule {
  return {
    configure(command) {
      addTargetOptions(command)
        .addHelpText(
          'after',
          `\nExamples:\n  $ ownbase inspect db ${name}\n  $ ownbase inspect db ${name} --json --db-url postgresql://postgres:secret@db.example.com/postgres`,
        )
        .action(async () => {
          if (name !== calledBy) note(`${calledBy} is the older name of ${name}.`);
          await printReport(command, name);
        });
    },
  };
}

async function printReport(command: Command, name: string): Promise<void> {
  const { reports } = await import('../../platform/inspect/reports.ts');
  const { runReport } = await import('../../platform/inspect/run.ts');
  const report = reports[name];
  if (!report) throw new CommandFailure(`There is no report ${name}.`);
  await withClient(command, async (client) => {
    const rows = await runReport(client, report);
    if ('kind' in rows) throw new CommandFailure(NO_STATEMENTS);
    const names = Object.keys(report.columns);
    const cells = rows.map((row) => names.map((column) => oneLine(row[column])));
    printResult(rows, () => `${columns(Object.values(report.columns), cells)}\n`);
    if (rows.length === 0) note('Nothing to report.');
  });
}

/** Width that a statement takes at most in a table; JSON has all of it. */
const MAX_WIDTH = 80;

function oneLine(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value).replaceAll(/\s+/g, ' ');
  return text.length > MAX_WIDTH ? `${text.slice(0, MAX_WIDTH - 1)}…` : text;
}
