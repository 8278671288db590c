import { differences } from '../differences.ts';
import type { Recorded } from './target.ts';

/** A step whose results differ, and where. */
export type Difference = { readonly step: string; readonly places: readonly string[] };

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
    .map((step) => ({ step, places: differences(left.get(step), right.get(step)) }))
    .filter(({ places }) => places.length > 0);
}
