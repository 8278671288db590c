import colors from 'picocolors';
import type { Comparison, Difference } from '../diff.ts';

/** A comparison for people: each difference once, with both sides and the cases that show it. */
export function comparisonText(comparison: Comparison): string {
  const { differences, compared, notCompared, timeRatio } = comparison;
  const cases = new Set(differences.map(({ id }) => id)).size;
  return [
    ...alike(differences).map(block),
    ...(notCompared.length === 0 ? [] : [`Only one side could run: ${notCompared.join(', ')}`, '']),
    `${cases} of ${compared} cases differ.${timeRatio === null ? '' : ` The right side takes ${timeRatio.toFixed(2)} times as long (median).`}`,
  ].join('\n');
}

/** Differences that are the same in several steps, together; the commonest last, where a terminal shows it. */
function alike(differences: readonly Difference[]): Difference[][] {
  const groups = new Map<string, Difference[]>();
  for (const one of differences) {
    const key = JSON.stringify([one.name, one.left, one.right]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].sort((one, other) => one.length - other.length);
}

function block(group: readonly Difference[]): string {
  const [first] = group;
  if (first === undefined) return '';
  const ids = [...new Set(group.map(({ id }) => id))];
  const more = ids.length > 3 ? ` and ${ids.length - 3} more` : '';
  return [
    `${colors.bold(first.name)}  ${colors.dim(first.step)}`,
    `  ${colors.green(`left   ${cut(first.left)}`)}`,
    `  ${colors.red(`right  ${cut(first.right)}`)}`,
    `  ${colors.dim(`${ids.slice(0, 3).join(', ')}${more}`)}`,
    '',
  ].join('\n');
}

const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
