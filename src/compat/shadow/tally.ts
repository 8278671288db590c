import { compareAnswers, type ShadowAnswer, type ShadowDifference, type Showing } from './compare.ts';

/** What is known of one route after a while. */
export type RouteTally = {
  readonly route: string;
  readonly compared: number;
  readonly same: number;
  readonly differentStatus: number;
  readonly differentBody: number;
  /** The other backend did not answer. */
  readonly unanswered: number;
  /** Medians of milliseconds. */
  readonly upstreamMs: number | null;
  readonly ownbaseMs: number | null;
  /** The first differences of each place. */
  readonly examples: readonly ShadowDifference[];
};

/** What a shadow saw. */
export type ShadowReport = {
  readonly upstream: string;
  readonly ownbase: string;
  readonly startedAt: string;
  readonly requests: number;
  readonly replayed: number;
  /** Left out because too many were waiting. */
  readonly dropped: number;
  /** Bodies that were too large to keep: their status was compared. */
  readonly large: number;
  readonly routes: readonly RouteTally[];
};

/** Collects comparisons by route. */
export type Tally = {
  request(): void;
  dropped(): void;
  compared(route: string, upstream: ShadowAnswer, ownbase: ShadowAnswer): void;
  unanswered(route: string): void;
  report(): ShadowReport;
};

const EXAMPLES = 5;
const TIMES = 1000;
const ROUTES = 2000;

type Entry = {
  compared: number;
  same: number;
  differentStatus: number;
  differentBody: number;
  unanswered: number;
  readonly upstreamMs: number[];
  readonly ownbaseMs: number[];
  readonly examples: ShadowDifference[];
};

/** A tally of its own memory: so many routes, examples and times at most. */
export function createTally(about: {
  readonly upstream: string;
  readonly ownbase: string;
  readonly showing: Showing;
  readonly startedAt: string;
}): Tally {
  const counts = { requests: 0, replayed: 0, dropped: 0, large: 0 };
  const entries = new Map<string, Entry>();
  const entryOf = (route: string): Entry => {
    const name = entries.has(route) || entries.size < ROUTES ? route : '(other routes)';
    const entry = entries.get(name) ?? newEntry();
    entries.set(name, entry);
    return entry;
  };
  return {
    request: () => {
      counts.requests += 1;
    },
    dropped: () => {
      counts.dropped += 1;
    },
    compared(route, upstream, ownbase) {
      counts.replayed += 1;
      if (upstream.body === null || ownbase.body === null) counts.large += 1;
      addComparison(entryOf(route), upstream, ownbase, about.showing);
    },
    unanswered(route) {
      counts.replayed += 1;
      entryOf(route).unanswered += 1;
    },
    report: () => ({
      upstream: about.upstream,
      ownbase: about.ownbase,
      startedAt: about.startedAt,
      ...counts,
      routes: [...entries].map(([route, entry]) => summed(route, entry)).sort(byTrouble),
    }),
  };
}

const newEntry = (): Entry => ({
  compared: 0,
  same: 0,
  differentStatus: 0,
  differentBody: 0,
  unanswered: 0,
  upstreamMs: [],
  ownbaseMs: [],
  examples: [],
});

function addComparison(entry: Entry, upstream: ShadowAnswer, ownbase: ShadowAnswer, showing: Showing): void {
  const differences = compareAnswers(upstream, ownbase, showing);
  entry.compared += 1;
  if (differences.length === 0) entry.same += 1;
  else if (differences[0]?.what === 'status') entry.differentStatus += 1;
  else entry.differentBody += 1;
  if (entry.upstreamMs.length < TIMES) {
    entry.upstreamMs.push(upstream.ms);
    entry.ownbaseMs.push(ownbase.ms);
  }
  for (const difference of differences) {
    const place = placeholder(difference.at);
    const isNew = !entry.examples.some(({ at }) => placeholder(at) === place);
    if (isNew && entry.examples.length < EXAMPLES) entry.examples.push(difference);
  }
}

/** The same member of another row is the same place. */
const placeholder = (at: string): string => at.replaceAll(/\[\d+\]/g, '[]');

const summed = (route: string, { upstreamMs, ownbaseMs, ...entry }: Entry): RouteTally => ({
  route,
  ...entry,
  upstreamMs: median(upstreamMs),
  ownbaseMs: median(ownbaseMs),
});

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** Routes with differences first, then the busiest. */
const byTrouble = (one: RouteTally, other: RouteTally): number => {
  const trouble = ({ compared, same, unanswered }: RouteTally): number => compared - same + unanswered;
  return trouble(other) - trouble(one) || other.compared - one.compared;
};
