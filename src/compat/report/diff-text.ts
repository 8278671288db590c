import colors from 'picocolors';
import type { Comparison } from '../diff.ts';

/** A comparison for people: each difference with both sides. */
export function comparisonText(comparison: Comparison): string {
  const { differences, compared, notCompared, timeRatio } = comparison;
  const blocks = differences.map(({ id, title, step, name, left, right }) =>
    [
      `${colors.bold(id)}  ${title}`,
      `  ${colors.dim(step)}  ${name}`,
      `  ${colors.green(`left   ${cut(left)}`)}`,
      `  ${colors.red(`right  ${cut(right)}`)}`,
      '',
    ].join('\n'),
  );
  const cases = new Set(differences.map(({ id }) => id)).size;
  return [
    ...blocks,
    ...(notCompared.length === 0 ? [] : [`Only one side could run: ${notCompared.join(', ')}`, '']),
    `${cases} of ${compared} cases differ.${timeRatio === null ? '' : ` The right side takes ${timeRatio.toFixed(2)} times as long (median).`}`,
  ].join('\n');
}

const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
