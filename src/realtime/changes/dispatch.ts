import type { Relations } from '../feed/relations.ts';
import { type Candidate, candidatesOf, readAccess } from './candidates.ts';
import type { Delivery } from './deliver.ts';
import { readJsonCasts } from './json-casts.ts';
import type { Change } from './model.ts';
import { type Answers, createQuestions, type QuestionsOptions, type Sight } from './questions.ts';
import type { SlowLane } from './slow-lane.ts';
import { untilVisible } from './snapshot.ts';
import type { Group, SubscriptionIndex } from './subscription-index.ts';

/** What the dispatcher works with. */
export type DispatchOptions = QuestionsOptions & {
  readonly index: SubscriptionIndex;
  readonly relations: Relations;
  readonly delivery: Delivery;
  readonly slowLane: SlowLane;
  /** The current snapshot, as the server prints it. */
  readonly readSnapshot: () => Promise<string>;
  /** Takes stored messages, which are broadcast at their place among the changes. */
  readonly onStoredMessage: (change: Change) => void;
};

/** A change with the groups that may get it, and what the database said about them. */
type Judged = { readonly change: Change; readonly verdicts: Map<Candidate, Sight> };

/** Groups that join while a batch is being checked are checked in further rounds, up to this many. */
const maxRounds = 5;

/**
 * Brings a batch of changes to its subscribers: match in memory, ask the database once per group, deliver in order.
 * Nothing is delivered before everything is answered, so that a rejected batch can be dispatched again. Groups whose
 * policy is slow get their changes by the slow lane.
 */
export async function dispatchChanges(changes: readonly Change[], options: DispatchOptions): Promise<void> {
  const judged = changes.map((change): Judged => ({ change, verdicts: new Map() }));
  const seen = new Set<Group>();
  for (let round = 0; round < maxRounds; round++) {
    const found = judged.map(({ change }) => freshGroups(change, seen, options.index));
    if (found.every((groups) => groups.length === 0)) break;
    await judge(judged, found, options);
    for (const groups of found) for (const group of groups) seen.add(group);
  }
  for (const { change, verdicts } of judged) {
    if (change.relation.isMessages) options.onStoredMessage(change);
    hand(change, verdicts, options);
  }
  await options.delivery.untilTaken();
}

const freshGroups = (change: Change, seen: ReadonlySet<Group>, index: SubscriptionIndex): readonly Group[] =>
  change.relation.isPublished ? index.candidates(change).filter((group) => !seen.has(group)) : [];

async function judge(
  judged: readonly Judged[],
  found: readonly (readonly Group[])[],
  options: DispatchOptions,
): Promise<void> {
  const changes = judged.map(({ change }) => change);
  const accessOf = await readAccess(changes, options.index, options.relations);
  const concerned = changes.filter((_, i) => (found[i]?.length ?? 0) > 0);
  const casts = await readJsonCasts(concerned, options.db, options.patienceMs);
  const questions = createQuestions(options);
  const candidates = changes.map((change, i) => candidatesOf(change, found[i] ?? [], accessOf, casts));
  candidates.forEach((list, i) => {
    const change = changes[i];
    if (change === undefined) return;
    for (const { group, open, needsCheck } of list) {
      const { role, claims } = group.interest;
      for (const filter of open) questions.filter(role, filter);
      if (needsCheck && !options.slowLane.holds(role, claims, change)) {
        questions.visibility(role, claims, change);
      }
    }
  });
  if (questions.hasVisibility) {
    await untilVisible(new Set(changes.map(({ xid }) => xid)), options.readSnapshot);
  }
  const answers = await questions.ask();
  judged.forEach(({ change, verdicts }, i) => {
    for (const candidate of candidates[i] ?? []) {
      verdicts.set(candidate, sightOf(candidate, change, answers, options.slowLane));
    }
  });
}

function sightOf(
  { group, open, needsCheck }: Candidate,
  change: Change,
  answers: Answers,
  slowLane: SlowLane,
): Sight {
  const { role, claims } = group.interest;
  if (!open.every((filter) => answers.passes(role, filter))) return false;
  if (!needsCheck) return true;
  return slowLane.holds(role, claims, change) ? 'slow' : answers.sees(role, claims, change);
}

function hand(
  change: Change,
  verdicts: ReadonlyMap<Candidate, Sight>,
  { delivery, slowLane }: DispatchOptions,
): void {
  const reached: Candidate[] = [];
  for (const [candidate, sight] of verdicts) {
    if (sight === true) reached.push(candidate);
    else if (sight === 'slow') slowLane.add(change, candidate);
  }
  delivery.deliver(change, reached);
}
