import { type AdminClient, connect } from '../../pg/connect.ts';
import type { Case, Need } from '../cases/model.ts';
import { type CaseResult, resultOf, type SuiteResult } from '../result.ts';
import { missingNeed, probeCapabilities } from './capabilities.ts';
import { createCast, randomPrefix } from './cast.ts';
import { readEnvironment } from './environment.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { demandAnswers } from './reach.ts';
import { runCase } from './run-case.ts';
import { setStage } from './stage.ts';
import { sweep } from './sweep.ts';
import type { Target } from './target.ts';
import type { World } from './world.ts';

/** What a run reports while it goes on. */
export type Progress =
  | { readonly kind: 'preparing' }
  | { readonly kind: 'started'; readonly total: number }
  | { readonly kind: 'finished'; readonly result: CaseResult }
  | { readonly kind: 'removing' }
  | { readonly kind: 'removed' };

export type SuiteOptions = {
  readonly target: Target;
  readonly cases: readonly Case[];
  /** Ends the run early; what was made is removed all the same. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Cases that run at the same time. */
  readonly parallel?: number;
  readonly patienceMs?: number;
};

/**
 * Runs cases against a target and removes all that they made. Rejects with `TargetFailure` when there is no answer, and
 * when the database cannot be reached.
 */
export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const started = performance.now();
  const startedAt = new Date().toISOString();
  const { target, signal } = options;
  await demandAnswers(target, new Set(options.cases.map(({ service }) => service)), signal);
  const database = target.dbUrl === null ? null : oneAtATime(await connect(target.dbUrl));
  const users = new Set<string>();
  const world = createWorld(options, database, users);
  try {
    options.onProgress?.({ kind: 'preparing' });
    const problems = await setStage(world, new Set(options.cases.map(({ service }) => service)));
    const available = await probeCapabilities(world);
    const environment = await readEnvironment(world, available);
    options.onProgress?.({ kind: 'started', total: options.cases.length });
    const results = await runAll(world, options, available);
    options.onProgress?.({ kind: 'removing' });
    const leftovers = await sweep(world, users);
    const ms = performance.now() - started;
    return { startedAt, ms, environment, results, problems, leftovers, wasInterrupted: signal.aborted };
  } catch (error) {
    options.onProgress?.({ kind: 'removing' });
    const leftovers = await sweep(world, users);
    if (leftovers.length > 0) {
      throw new Error(`${describe(error)}\nNot removed: ${leftovers.join('\n')}`, { cause: error });
    }
    throw error;
  } finally {
    options.onProgress?.({ kind: 'removed' });
    await database?.end();
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function createWorld(options: SuiteOptions, database: AdminClient | null, users: Set<string>): World {
  const { target, signal, patienceMs = 10_000 } = options;
  const prefix = randomPrefix();
  return {
    target,
    prefix,
    cast: createCast(target, prefix, signal),
    database,
    noteUser: (id) => users.add(id),
    signal,
    patienceMs,
  };
}

/** Runs the cases, several at a time, and yields their results in the order of the suite. */
async function runAll(
  world: World,
  options: SuiteOptions,
  available: ReadonlySet<Need>,
): Promise<CaseResult[]> {
  const { cases, onProgress, parallel = 6 } = options;
  const results = new Map<string, CaseResult>();
  const queue = [...cases];
  const work = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const result = await runOrSkip(one, world, available);
      results.set(one.id, result);
      onProgress?.({ kind: 'finished', result });
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return cases.flatMap(({ id }) => results.get(id) ?? []);
}

async function runOrSkip(one: Case, world: World, available: ReadonlySet<Need>): Promise<CaseResult> {
  const missing = world.signal.aborted ? 'the run was interrupted' : missingNeed(one.needs, available);
  if (missing !== null) return resultOf(one, { outcome: 'skipped', reason: missing, ms: 0, steps: [] });
  const result = await runCase(one, world);
  if (!world.signal.aborted || result.outcome === 'passed') return result;
  return { ...result, outcome: 'skipped', reason: 'the run was interrupted' };
}
