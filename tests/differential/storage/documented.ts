import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/** Answers that differ on purpose, as docs/differences.md says: where, and in exactly these lines of the report. */
type Recorded = {
  readonly why: string;
  readonly scenario: string;
  readonly steps: readonly string[];
  /** `path: upstream's | ours`. */
  readonly lines: readonly string[];
};

const recorded = JSON.parse(
  readFileSync(new URL('./documented.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/** Upstream asks for bucket and object at once and answers with whichever fails first: any of these steps may differ. */
const raced = {
  why: 'upstream answers with what fails first',
  scenario: /^downloads: (every|rendering)/,
  step: /public\/(shut|none)/,
  lines: [
    '.body.error: "not_found" | "Bucket not found"',
    '.body.message: "Object not found" | "Bucket not found"',
    '.body.code: "NoSuchKey" | "NoSuchBucket"',
  ],
};

/** Why a step differs in exactly these lines; null when nothing says that it may. */
export function reasonFor(scenario: string, step: string, lines: readonly string[]): string | null {
  const isRaced = raced.scenario.test(scenario) && raced.step.test(step);
  if (isRaced && isDeepStrictEqual(lines, raced.lines)) return raced.why;
  const known = recorded.find(
    (entry) =>
      entry.scenario === scenario && entry.steps.includes(step) && isDeepStrictEqual(entry.lines, lines),
  );
  return known?.why ?? null;
}
