import { differingPlaces, placeBelow } from './places.ts';
import type { CaseResult, StepRecord, SuiteResult } from './result.ts';

/** One thing in which two targets differ. */
export type Difference = {
  readonly id: string;
  readonly title: string;
  /** The step, or the case as a whole. */
  readonly step: string;
  readonly what: 'outcome' | 'status' | 'header' | 'body' | 'messages';
  readonly name: string;
  readonly left: string;
  readonly right: string;
};

/** How two runs of the same cases compare. */
export type Comparison = {
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** Cases that only one of the two could run. */
  readonly notCompared: readonly string[];
  /** Time of the right one for one unit of the left one: the median over the cases that passed on both. */
  readonly timeRatio: number | null;
};

/** Headers that a client reads; others are the server's own business. */
const HEADERS = [
  'content-type',
  'content-range',
  'content-disposition',
  'cache-control',
  'location',
  'preference-applied',
  'www-authenticate',
  'x-supabase-api-version',
  'upload-offset',
  'tus-resumable',
] as const;

/** Compares two runs case by case; what is random in answers (ids, times, tokens, names of the run) does not count. */
export function compareRuns(left: SuiteResult, right: SuiteResult): Comparison {
  const others = new Map(right.results.map((result) => [result.id, result]));
  const pairs = left.results.flatMap((one) => {
    const other = others.get(one.id);
    return other === undefined ? [] : [[one, other] as const];
  });
  const ran = pairs.filter(([one, other]) => one.outcome !== 'skipped' && other.outcome !== 'skipped');
  return {
    compared: ran.length,
    differences: ran.flatMap(([one, other]) => compareCases(one, other, normalizer(left), normalizer(right))),
    notCompared: pairs
      .filter(([one, other]) => (one.outcome === 'skipped') !== (other.outcome === 'skipped'))
      .map(([one]) => one.id),
    timeRatio: median(
      ran
        .filter(([one, other]) => one.outcome === 'passed' && other.outcome === 'passed' && one.ms > 0)
        .map(([one, other]) => other.ms / one.ms),
    ),
  };
}

type Normalize = (text: string) => string;

function compareCases(one: CaseResult, other: CaseResult, left: Normalize, right: Normalize): Difference[] {
  const { id, title } = one;
  const differ = (
    step: string,
    what: Difference['what'],
    name: string,
    l: string,
    r: string,
  ): Difference[] => (l === r ? [] : [{ id, title, step, what, name, left: l, right: r }]);
  const steps = Math.min(one.steps.length, other.steps.length);
  const inSteps = Array.from({ length: steps }, (_, index) => {
    const [l, r] = [one.steps[index], other.steps[index]];
    return l === undefined || r === undefined
      ? []
      : facets(l, r).flatMap(({ what, name, values: [a, b] }) =>
          narrowed(name, left(a), right(b)).flatMap((place) =>
            differ(left(l.title), what, place.name, place.left, place.right),
          ),
        );
  }).flat();
  return inSteps.length > 0 ? inSteps : differ('the case', 'outcome', 'outcome', one.outcome, other.outcome);
}

/** The places in which two documents differ; of other texts, the whole. */
function narrowed(
  name: string,
  left: string,
  right: string,
): { readonly name: string; readonly left: string; readonly right: string }[] {
  const [a, b] = [parseDocument(left), parseDocument(right)];
  if (left === right || a === undefined || b === undefined) return [{ name, left, right }];
  const text = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));
  return differingPlaces(a, b).map((place) => ({
    name: placeBelow(name, place.at),
    left: text(place.left),
    right: text(place.right),
  }));
}

/** Objects and arrays; anything else is compared as it stands. */
function parseDocument(text: string): unknown {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Cut off, or no JSON after all.
    return undefined;
  }
}

type Facet = {
  readonly what: Difference['what'];
  readonly name: string;
  readonly values: readonly [string, string];
};

/** What of one step is compared. */
function facets(left: StepRecord, right: StepRecord): Facet[] {
  const header = (record: StepRecord, name: string): string => record.response?.headers[name] ?? 'absent';
  const body = (record: StepRecord): string =>
    record.isShared === true ? '' : (record.response?.body ?? '');
  return [
    {
      what: 'status',
      name: 'status',
      values: [String(left.response?.status), String(right.response?.status)],
    },
    ...HEADERS.map((name) => ({
      what: 'header' as const,
      name,
      values: [header(left, name), header(right, name)] as const,
    })),
    { what: 'body', name: 'body', values: [body(left), body(right)] },
    {
      what: 'messages',
      name: 'messages',
      values: [JSON.stringify(left.messages ?? []), JSON.stringify(right.messages ?? [])],
    },
  ];
}

/** Replaces what differs between any two runs by a word for its kind. */
function normalizer({ environment }: SuiteResult): Normalize {
  const host = new URL(environment.url).host;
  return (text) =>
    text
      .replaceAll(environment.url, '<url>')
      .replaceAll(host, '<host>')
      .replaceAll(/compat_[0-9a-f]{8}_([0-9a-f]{8})?/g, '<run>')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?/g, '<time>')
      .replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, '<token>')
      .replaceAll(/((?:access_|refresh_)?token|phx_ref(?:_prev)?|nextCursor)(=|":")[^&"]+/g, '$1$2<token>')
      .replaceAll(/([?&]code=|\/upload\/resumable\/)[\w-]+/g, '$1<token>')
      .replaceAll(/Failing row contains \(\d+/g, 'Failing row contains (<number>')
      .replaceAll(/"(email_otp)":"\d+"/g, '"$1":"<code>"')
      .replaceAll(/"(expires_in)":\d+/g, '"$1":0')
      .replaceAll(/"(id|ids)":\[?\d+\]?/g, '"$1":0')
      .replaceAll(/\b\d{8,13}\b/g, '0');
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
