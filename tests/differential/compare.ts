import { isDeepStrictEqual } from 'node:util';
import type { Recorded } from './target.ts';

/** A step whose results differ, and where. */
export type Difference = { readonly step: string; readonly places: readonly string[] };

/** Paths at which two values differ, with both sides. */
function placesOf(a: unknown, b: unknown, path = ''): readonly string[] {
  if (isDeepStrictEqual(a, b)) return [];
  const isBranch = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null;
  if (!isBranch(a) || !isBranch(b)) return [`${path}: ${JSON.stringify(a)} | ${JSON.stringify(b)}`];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => placesOf(a[key], b[key], `${path}.${key}`));
}

/** Every step at which two recordings differ; steps that only one side has differ as a whole. */
export function compareRecordings(a: readonly Recorded[], b: readonly Recorded[]): readonly Difference[] {
  const keyed = (list: readonly Recorded[]): Map<string, unknown> => {
    const counts = new Map<string, number>();
    return new Map(
      list.map(({ step, result }) => {
        const count = (counts.get(step) ?? 0) + 1;
        counts.set(step, count);
        return [count === 1 ? step : `${step} (${count})`, result];
      }),
    );
  };
  const [left, right] = [keyed(a), keyed(b)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((step) => ({ step, places: placesOf(left.get(step), right.get(step)) }))
    .filter(({ places }) => places.length > 0);
}
