import type { Case, Need, Service } from './cases/model.ts';
import type { Mismatch } from './run/match.ts';

/** What was asked and answered in one step; secrets are left out. */
export type StepRecord = {
  /** `GET /rest/v1/...`, `receive a`, ... */
  readonly title: string;
  readonly request?: { readonly headers: Readonly<Record<string, string>>; readonly body: string | null };
  readonly response?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** The answer lists things of others too: its length and order say nothing. */
  readonly isShared?: boolean;
  /** Messages that a socket received while the step waited. */
  readonly messages?: readonly unknown[];
  readonly mismatches: readonly Mismatch[];
  readonly ms: number;
};

export type Outcome = 'passed' | 'failed' | 'skipped';

/** How one case ended. */
export type CaseResult = Omit<Case, 'needs' | 'steps'> & {
  readonly outcome: Outcome;
  /** Why it was skipped, or what went wrong; null when it passed. */
  readonly reason: string | null;
  readonly ms: number;
  readonly steps: readonly StepRecord[];
};

/** What is known about the servers behind the URL. */
export type Environment = {
  readonly url: string;
  readonly ownbase: string;
  readonly node: string;
  readonly auth: string | null;
  readonly rest: string | null;
  readonly postgres: string | null;
  readonly available: readonly Need[];
};

/** A whole run. */
export type SuiteResult = {
  readonly startedAt: string;
  readonly ms: number;
  readonly environment: Environment;
  readonly results: readonly CaseResult[];
  /** What of the shared tables, policies and buckets could not be made beforehand. */
  readonly problems: readonly string[];
  /** What could not be removed afterwards. */
  readonly leftovers: readonly string[];
  readonly wasInterrupted: boolean;
};

/** Counts and the weighted share of what passed, 0 to 1; skipped cases do not count. */
export type Totals = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly score: number;
};

/** Sums results up. */
export function totalsOf(results: readonly CaseResult[]): Totals {
  const count = (outcome: Outcome): number => results.filter((one) => one.outcome === outcome).length;
  const weigh = (outcome: Outcome): number =>
    results.reduce((sum, one) => sum + (one.outcome === outcome ? one.weight : 0), 0);
  const weight = weigh('passed') + weigh('failed');
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    score: weight === 0 ? 0 : weigh('passed') / weight,
  };
}

/** Results by feature, in the order of the suite. */
export function byFeature(
  results: readonly CaseResult[],
): { readonly service: Service; readonly feature: string; readonly results: CaseResult[] }[] {
  const groups = new Map<string, { service: Service; feature: string; results: CaseResult[] }>();
  for (const result of results) {
    const { service, feature } = result;
    const key = `${service} ${feature}`;
    const group = groups.get(key) ?? { service, feature, results: [] };
    groups.set(key, group);
    group.results.push(result);
  }
  return [...groups.values()];
}

/** The result of a case that did not run to its end in the usual way. */
export function resultOf(
  one: Case,
  ended: Pick<CaseResult, 'outcome' | 'reason' | 'ms' | 'steps'>,
): CaseResult {
  const { id, service, feature, title, method, weight, why } = one;
  return { id, service, feature, title, method, weight, why, ...ended };
}
