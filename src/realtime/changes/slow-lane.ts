import type { RequestDb } from '../../pg/session.ts';
import { DeletedRows } from './deleted-rows.ts';
import type { Delivery } from './deliver.ts';
import type { RelationInfo } from './model.ts';
import { AskedRows, type RowSet, visibilityKey } from './row-key.ts';
import type { Candidate, Telling } from './telling.ts';
import { askVisibility, type Unanswered } from './visibility.ts';

/** A change that waits for the slow policy of a group. */
type Waiting = { readonly telling: Telling; readonly candidate: Candidate };

/**
 * Where the checks of slow policies go, so that nobody else waits for them. A group that is here gets its changes in
 * order, only later than others; it leaves when it has caught up.
 */
export interface SlowLane {
  /** Whether the checks of this role and claims on the relation are here. */
  holds(role: string, claims: string, relation: RelationInfo): boolean;
  add(telling: Telling, candidate: Candidate): void;
}

/** What the lane works with. */
export type SlowLaneOptions = {
  readonly db: RequestDb;
  readonly timeoutMs: number;
  readonly delivery: Delivery;
  /** A policy that raised or took too long; its changes are not delivered. */
  readonly onFailure: (failure: Unanswered, relation: string) => void;
  readonly reportFault: (error: unknown) => void;
  readonly now: () => number;
  /** What others would have waited for: a check that takes less may go back to them. */
  readonly patienceMs: number;
};

/** A policy that was slow is not tried among the others again for this long. */
const memoryMs = 60_000;
/** Changes that may wait for one group; more are dropped. */
const maxWaiting = 1_000;

/** Creates an empty lane. One group is asked about at a time. */
export function createSlowLane(options: SlowLaneOptions): SlowLane {
  const queues = new Map<string, Waiting[]>();
  const slowUntil = new Map<string, number>();
  let isWorking = false;

  const settleNext = async (key: string, waiting: readonly Waiting[]): Promise<void> => {
    // To the end of the line, for the changes that come meanwhile.
    queues.delete(key);
    queues.set(key, []);
    const startedAt = options.now();
    await settle(waiting, options);
    const endedAt = options.now();
    if (endedAt - startedAt < options.patienceMs) slowUntil.delete(key);
    else slowUntil.set(key, endedAt + memoryMs);
    if (queues.get(key)?.length === 0) queues.delete(key);
  };
  const work = async (): Promise<void> => {
    try {
      for (let next = firstOf(queues); next !== null; next = firstOf(queues)) await settleNext(...next);
    } catch (error) {
      options.reportFault(error);
    } finally {
      isWorking = false;
    }
  };
  return {
    holds(role, claims, relation) {
      const key = visibilityKey(role, claims, relation);
      if (queues.has(key)) return true;
      const until = slowUntil.get(key);
      if (until === undefined) return false;
      if (until > options.now()) return true;
      slowUntil.delete(key);
      return false;
    },
    add(telling, candidate) {
      const { role, claims } = candidate.group.interest;
      const key = visibilityKey(role, claims, telling.change.relation);
      const waiting = queues.get(key) ?? [];
      queues.set(key, waiting);
      if (waiting.length < maxWaiting) waiting.push({ telling, candidate: asOfNow(candidate) });
      if (isWorking) return;
      isWorking = true;
      void work();
    },
  };
}

/**
 * A candidate with the subscribers that it has now: one that goes on as another session meanwhile is no longer in the
 * group, and is still owed the change.
 */
function asOfNow(candidate: Candidate): Candidate {
  const { group } = candidate;
  return { ...candidate, group: { ...group, subscribers: new Set(group.subscribers) } };
}

/** Leaves out who has left since. */
function withoutGone({ group, ...rest }: Candidate): Candidate {
  const subscribers = new Set([...group.subscribers].filter(({ life }) => !life.isOver));
  return { ...rest, group: { ...group, subscribers } };
}

function firstOf(queues: ReadonlyMap<string, Waiting[]>): [string, Waiting[]] | null {
  for (const [key, waiting] of queues) if (waiting.length > 0) return [key, waiting];
  return null;
}

async function settle(waiting: readonly Waiting[], options: SlowLaneOptions): Promise<void> {
  const [first] = waiting;
  if (first === undefined) return;
  const { relation } = first.telling.change;
  const { role, claims } = first.candidate.group.interest;
  const { policy } = first.candidate.form.access;
  const [kept, deleted] = [new AskedRows(relation), new DeletedRows(relation)];
  const rowsOf = ({ telling: { change } }: Waiting): RowSet => (change.kind === 'DELETE' ? deleted : kept);
  const places = waiting.map((each) => rowsOf(each).placeOf(each.telling.change));
  const questions = [kept, deleted]
    .filter(({ size }) => size > 0)
    .map((rows) => ({ rows, places: Array.from({ length: rows.size }, (_, i) => i), role, claims, policy }));
  const answers = await askVisibility(options.db, questions, options.timeoutMs);
  const visible = new Map<RowSet, Uint8Array>();
  questions.forEach(({ rows }, i) => {
    const answer = answers[i];
    if (answer instanceof Uint8Array) visible.set(rows, answer);
    else if (answer !== undefined) options.onFailure(answer, `${relation.schema}.${relation.name}`);
  });
  waiting.forEach((each, i) => {
    const place = places[i] ?? null;
    if (place === null || visible.get(rowsOf(each))?.[place] !== 1) return;
    options.delivery.deliver(each.telling, [withoutGone(each.candidate)]);
  });
}
