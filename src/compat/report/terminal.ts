import colors from 'picocolors';
import { byFeature, type CaseResult, type SuiteResult, totalsOf } from '../result.ts';

/** What one finished case looks like while the run goes on. */
export function caseLine(result: CaseResult): string {
  switch (result.outcome) {
    case 'passed':
      return `${colors.green('✓')} ${result.id} ${colors.dim(duration(result.ms))}`;
    case 'skipped':
      return `${colors.yellow('-')} ${result.id} ${colors.dim(result.reason ?? '')}`;
    case 'failed':
      return `${colors.red('✗')} ${result.id} ${result.reason ?? ''}`;
  }
}

/** The table of features, the failures, and the sum. */
export function summary(result: SuiteResult): string {
  const rows = byFeature(result.results).map(({ service, feature, results }) => {
    const { passed, failed, skipped, score } = totalsOf(results);
    const ran = passed + failed;
    const share = ran === 0 ? colors.dim('  not run') : bar(score);
    const counts = [
      colors.green(`${passed} passed`),
      ...(failed > 0 ? [colors.red(`${failed} failed`)] : []),
      ...(skipped > 0 ? [colors.yellow(`${skipped} skipped`)] : []),
    ];
    return `  ${service.padEnd(9)} ${feature.padEnd(19)} ${share}  ${counts.join(', ')}`;
  });
  return [
    '',
    ...rows,
    '',
    ...failures(result.results),
    ...result.problems.map((text) => colors.yellow(`could not be made: ${text}`)),
    ...result.leftovers.map((text) => colors.yellow(`could not be removed: ${text}`)),
    total(result),
  ].join('\n');
}

function failures(results: readonly CaseResult[]): string[] {
  return results
    .filter(({ outcome }) => outcome === 'failed')
    .flatMap(({ id, title, method, reason }) => [
      `${colors.red('✗')} ${colors.bold(id)}  ${title}`,
      `    ${colors.dim(`${method}:`)} ${reason ?? ''}`,
      '',
    ]);
}

function total(result: SuiteResult): string {
  const { passed, failed, skipped, score } = totalsOf(result.results);
  // A share of the beginning says nothing of the whole.
  const verdict = result.wasInterrupted
    ? colors.yellow('interrupted')
    : colors.bold(`${percent(score)} compatible`);
  return `${verdict}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${duration(result.ms)}`;
}

function bar(score: number): string {
  const filled = Math.round(score * 10);
  const paint = score === 1 ? colors.green : score >= 0.9 ? colors.yellow : colors.red;
  return `${paint('█'.repeat(filled))}${colors.dim('░'.repeat(10 - filled))} ${percent(score).padStart(6)}`;
}

/** A share as people read it; 100 % only when nothing is missing. */
export const percent = (share: number): string =>
  share === 1 ? '100 %' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;

/** Milliseconds as people read them. */
export const duration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
