import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Case } from '../../compat/cases/model.ts';
import { type SuiteResult, totalsOf } from '../../compat/result.ts';
import type { ScanResult } from '../../compat/scan/scan.ts';
import { addTargetOptions, type TargetOptions, targetOf } from '../compat-target.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import { projectDirOf } from '../project-options.ts';
import { createCompatProgress } from '../ui/compat-progress.ts';
import { printResult } from '../ui/output.ts';
import { clearProgress, showProgress } from '../ui/progress-line.ts';

const examples = `
Reads TypeScript, JavaScript, Vue, Svelte, Astro, Dart, Swift, Kotlin, Python, SQL and supabase/config.toml. Nothing of the
app is run or sent anywhere. Ends with code 1 when the app uses what is not there, with --strict also when it uses what
differs, and with --run also when a case fails.

Examples:
  $ ownbase compat scan
  $ ownbase compat scan ../app --places
  $ ownbase compat scan ../app --run --project ../app
  $ ownbase compat scan --json > needs.json`;

type Options = TargetOptions & {
  readonly places?: boolean;
  readonly strict?: boolean;
  readonly run?: boolean;
};

/** `ownbase compat scan`: what an app uses of Supabase, and how ownbase stands to it. */
export function configure(command: Command): void {
  addTargetOptions(command.argument('[path]', 'the app', '.'))
    .option('--places', 'show every place, not the first ones')
    .option('--strict', 'end with code 1 on differences too')
    .option('--run', 'run the cases that prove what the app uses')
    .addHelpText('after', examples)
    .action((path: string) => scan(resolve(path), command));
}

async function scan(path: string, command: Command): Promise<void> {
  const options = command.opts<Options>();
  showProgress({ label: 'Reading', item: path });
  const { loadCases } = await import('../../compat/cases/load.ts');
  const { scanProject } = await import('../../compat/scan/scan.ts');
  const cases = await loadCases();
  const onFile = (item: string, done: number, total: number): void =>
    showProgress({ label: 'Reading', done, total, item });
  const found = await scanProject(path, cases, onFile).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw new CommandFailure(`There is no folder ${path}.`);
    throw error;
  });
  clearProgress();
  const run = options.run === true ? await runNeeded(found, cases, options, projectDirOf(command)) : null;
  await print(found, run, options);
  process.exitCode = passes(found, run, options.strict === true) ? exitCode.ok : exitCode.failed;
}

/** Runs the cases that the used features name, and no others. */
async function runNeeded(
  { features }: ScanResult,
  cases: readonly Case[],
  options: Options,
  projectDir: string,
): Promise<SuiteResult> {
  const needed = new Set(features.flatMap((feature) => feature.cases));
  const target = await targetOf(options, projectDir);
  const { runSuite } = await import('../../compat/run/run-suite.ts');
  const signal = interruption();
  const result = await runSuite({
    target,
    cases: cases.filter(({ id }) => needed.has(id)),
    signal,
    onProgress: createCompatProgress(),
  });
  signal.throwIfAborted();
  return result;
}

async function print(found: ScanResult, run: SuiteResult | null, options: Options): Promise<void> {
  const { scanText } = await import('../../compat/report/scan-text.ts');
  const { summary } = await import('../../compat/report/terminal.ts');
  const text = scanText(found, { places: options.places === true });
  printResult({ ...found, run }, () => `${text}\n${run === null ? '' : `${summary(run)}\n`}`);
}

function passes({ features }: ScanResult, run: SuiteResult | null, isStrict: boolean): boolean {
  const isMissing = features.some(({ support }) => support === 'unsupported');
  const isDifferent = features.some(({ support }) => support === 'differs');
  const hasFailed = run !== null && (totalsOf(run.results).failed > 0 || run.leftovers.length > 0);
  return !isMissing && !(isStrict && isDifferent) && !hasFailed;
}
