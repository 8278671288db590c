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

/** Differences that show in many steps: each is known by what its lines say. */
const classes: readonly { why: string; scenario: RegExp; step: RegExp; lines: RegExp }[] = [
  {
    // It asks for bucket and object at once: any of these steps may differ.
    why: 'upstream answers with what fails first',
    scenario: /^downloads: (every|rendering)/,
    step: /public\/(shut|none)/,
    lines:
      /^\.body\.(error: "not_found" \| "Bucket not found"|message: "Object not found" \| "Bucket not found"|code: "NoSuchKey" \| "NoSuchBucket")$/,
  },
  {
    why: 'a NUL answers 400',
    scenario: /^sweep: /,
    step: /\\u0000|%00/,
    lines: /^\.(status: 500 \| 400|body\.\w+: .* \| .*("400"|Invalid|invalid byte|name invalid).*)$/,
  },
  {
    why: 'a bucket’s id is held to the rules of its name',
    scenario: /^sweep: bodies$/,
    step: /^POST \/bucket id "ü"$/,
    lines: /^\.body\.\w+: .* \| "(400|Invalid Input|Bucket name invalid|InvalidBucketName)"$/,
  },
  {
    why: 'S3 listings echo what they were asked',
    scenario: /^sweep: s3$/,
    step: /^(list|GET \/b)/,
    lines: /^\.body\.ListBucketResult\.(Marker|StartAfter|Delimiter): /,
  },
  {
    why: 'a body is held against its digest',
    scenario: /^sweep: s3$/,
    step: /^put content-md5: /,
    lines: /^\.(status: 200 \| 400$|headers\.|body)/,
  },
  {
    why: 'conditions count as HTTP has them',
    scenario: /^sweep: s3$/,
    step: /^get if-(none-match|modified-since): /,
    lines: /^\.(status: (200|500) \| (200|304)$|headers\.|body)/,
  },
  {
    why: 'an answer without a body names no type',
    scenario: /^sweep: s3$/,
    step: /^HEAD \/$/,
    lines: /^\.headers\.content-type: /,
  },
];

// Every failure of the S3 endpoint shows it, beside whatever else differs.
const withoutNamespace = /^\.body\.Error\.@_xmlns: ".*" \| undefined$/;

/** Why a step differs in exactly these lines; null when nothing says that it may. */
export function reasonFor(scenario: string, step: string, all: readonly string[]): string | null {
  const lines = all.filter((line) => !withoutNamespace.test(line));
  if (lines.length === 0) return 'failures of the S3 endpoint are in no namespace';
  const known = recorded.find(
    (entry) =>
      entry.scenario === scenario && entry.steps.includes(step) && isDeepStrictEqual(entry.lines, lines),
  );
  if (known !== undefined) return known.why;
  const fitting = classes.find(
    (entry) =>
      entry.scenario.test(scenario) && entry.step.test(step) && lines.every((line) => entry.lines.test(line)),
  );
  return fitting?.why ?? null;
}
