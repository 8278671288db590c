import type { Command } from 'commander';
import { type SuiteResult, totalsOf } from '../../compat/result.ts';
import { addCompatOptions, type CompatOptions } from '../compat-options.ts';
import { addTargetOptions, type TargetOptions, targetOf } from '../compat-target.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { INTERRUPTED, interruption } from '../interrupt.ts';
import { projectDirOf } from '../project-options.ts';
import { createCompatProgress } from '../ui/compat-progress.ts';
import { note, printResult } from '../ui/output.ts';

const examples = `
Without --url the running backend of this project is examined. Everything that a run makes begins with compat_ and is
removed at the end, also after Ctrl-C. Ends with code 1 when a case fails or none ran.

Examples:
  $ ownbase compat run
  $ ownbase compat run --url https://ref.supabase.co --anon-key KEY --service-key KEY --db-url postgres://...
  $ ownbase compat run --only rest,auth --report compat-report
  $ ownbase compat run --junit > compat.xml`;

type Options = CompatOptions & TargetOptions & { readonly report?: string; readonly junit?: boolean };

/** `ownbase compat run`: the suite of behaviours against any Supabase-shaped URL. */
export function configure(command: Command): void {
  addCompatOptions(addTargetOptions(command))
    .option('--report <dir>', 'write report.html, report.json and report.xml there')
    .option('--junit', 'print the results as JUnit XML')
    .addHelpText('after', examples)
    .action(() => runCompat(command));
}

async function runCompat(command: Command): Promise<void> {
  const options = command.opts<Options>();
  const target = await targetOf(options, projectDirOf(command));
  const { loadCases, selectCases } = await import('../../compat/cases/load.ts');
  const { runSuite } = await import('../../compat/run/run-suite.ts');
  const cases = selectCases(await loadCases(), { services: options.only, ids: options.case });
  if (cases.length === 0) throw new CommandFailure('No case is named so.');
  const result = await runSuite({
    target,
    cases,
    signal: interruption(),
    parallel: options.parallel,
    onProgress: createCompatProgress(),
  });
  if (options.report !== undefined) await writeReports(result, options.report);
  await print(result, options);
  process.exitCode = exitCodeOf(result);
}

async function print(result: SuiteResult, { junit }: Options): Promise<void> {
  const { junitReport } = await import('../../compat/report/junit.ts');
  const { summary } = await import('../../compat/report/terminal.ts');
  printResult(result, () => (junit === true ? junitReport(result) : `${summary(result)}\n`));
}

async function writeReports(result: SuiteResult, dir: string): Promise<void> {
  const { mkdir, writeFile } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const { htmlReport } = await import('../../compat/report/html.ts');
  const { junitReport } = await import('../../compat/report/junit.ts');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'report.html'), htmlReport(result));
  await writeFile(join(dir, 'report.json'), JSON.stringify(result, null, 2));
  await writeFile(join(dir, 'report.xml'), junitReport(result));
  note(`The report is in ${join(dir, 'report.html')}.`);
}

function exitCodeOf(result: SuiteResult): number {
  if (result.wasInterrupted) return INTERRUPTED;
  const { passed, failed } = totalsOf(result.results);
  const isClean = result.leftovers.length === 0 && failed === 0;
  // A run that could examine nothing proves nothing.
  return isClean && passed > 0 ? exitCode.ok : exitCode.failed;
}
