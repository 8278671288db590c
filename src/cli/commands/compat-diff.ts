import type { Command } from 'commander';
import type { Case } from '../../compat/cases/model.ts';
import type { SuiteResult } from '../../compat/result.ts';
import type { Target } from '../../compat/run/target.ts';
import { addCompatOptions, type CompatOptions } from '../compat-options.ts';
import { exitCode } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import { createCompatProgress } from '../ui/compat-progress.ts';
import { printResult } from '../ui/output.ts';

const examples = `
Both sides run the same cases, one after the other. Ids, times, tokens and the names of the run do not count. Ends with
code 1 when something differs.

Examples:
  $ ownbase compat diff --left https://ref.supabase.co --left-anon-key K --left-service-key K \\
      --right http://127.0.0.1:54321 --right-anon-key K --right-service-key K`;

type Side = 'left' | 'right';
type Options = CompatOptions & Readonly<Record<string, unknown>>;

/** `ownbase compat diff`: the suite on two targets, and only what differs. */
export function configure(command: Command): void {
  for (const side of ['left', 'right'] satisfies Side[]) {
    command
      .requiredOption(`--${side} <url>`, `the ${side} target`)
      .requiredOption(`--${side}-anon-key <key>`, `anon or publishable key of the ${side} target`)
      .requiredOption(`--${side}-service-key <key>`, `service_role or secret key of the ${side} target`)
      .option(`--${side}-db-url <url>`, `database of the ${side} target`)
      .option(`--${side}-jwt-secret <secret>`, `secret that signs tokens of the ${side} target`);
  }
  addCompatOptions(command)
    .addHelpText('after', examples)
    .action(() => compare(command.opts<Options>()));
}

async function compare(options: Options): Promise<void> {
  const { loadCases, selectCases } = await import('../../compat/cases/load.ts');
  const { compareRuns } = await import('../../compat/diff.ts');
  const { comparisonText } = await import('../../compat/report/diff-text.ts');
  const cases = selectCases(await loadCases(), { services: options.only, ids: options.case });
  const signal = interruption();
  const left = await runSide('left', options, cases, signal);
  signal.throwIfAborted();
  const right = await runSide('right', options, cases, signal);
  signal.throwIfAborted();
  const comparison = compareRuns(left, right);
  printResult(comparison, () => `${comparisonText(comparison)}\n`);
  if (comparison.differences.length > 0) process.exitCode = exitCode.failed;
}

async function runSide(
  side: Side,
  options: Options,
  cases: readonly Case[],
  signal: AbortSignal,
): Promise<SuiteResult> {
  const { runSuite } = await import('../../compat/run/run-suite.ts');
  const target = targetOf(side, options);
  const onProgress = createCompatProgress(`${side} ${target.url}: `);
  return runSuite({ target, cases, signal, parallel: options.parallel, onProgress });
}

function targetOf(side: Side, options: Options): Target {
  const text = (name: string): string => String(options[name] ?? '');
  const dbUrl = options[`${side}DbUrl`];
  const jwtSecret = options[`${side}JwtSecret`];
  return {
    url: text(side).replace(/\/+$/, ''),
    anonKey: text(`${side}AnonKey`),
    serviceKey: text(`${side}ServiceKey`),
    dbUrl: dbUrl === undefined ? null : String(dbUrl),
    ...(jwtSecret === undefined ? {} : { jwtSecret: String(jwtSecret) }),
  };
}
