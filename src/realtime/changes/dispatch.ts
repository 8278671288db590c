import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Relations } from '../feed/relations.ts';
import { readCandidates } from './candidates.ts';
import type { Delivery } from './deliver.ts';
import { readJsonCasts } from './json-casts.ts';
import { matchFilters, type OpenFilter } from './match.ts';
import type { Change } from './model.ts';
import { createQuestions, type Questions, type QuestionsOptions } from './questions.ts';
import type { SlowLane } from './slow-lane.ts';
import { untilVisible } from './snapshot.ts';
import type { Group, SubscriptionIndex } from './subscription-index.ts';
import { type Candidate, checkFor, Telling } from './telling.ts';
import type { JsonCasts } from './values.ts';

/** What the dispatcher works with. */
export type DispatchOptions = QuestionsOptions & {
  /** Whether only those are told of a deleted row who could see it. */
  readonly checksDeleted: boolean;
  readonly index: SubscriptionIndex;
  readonly relations: Relations;
  readonly delivery: Delivery;
  readonly slowLane: SlowLane;
  /** The current snapshot, as the server prints it. */
  readonly readSnapshot: () => Promise<string>;
  /** Takes stored messages, which are broadcast at their place among the changes. */
  readonly onStoredMessage: (change: Change) => void;
};

/** A change with the groups that get it: at once, or by the slow lane. */
type Judged = {
  readonly change: Change;
  telling: Telling;
  readonly reached: Candidate[];
  readonly slow: Candidate[];
};

/** What one change still depends on. */
type Open = {
  readonly judged: Judged;
  readonly place: number | null;
  readonly candidates: Candidate[];
  /** Filters that only the database can decide. */
  readonly filters: Map<Candidate, readonly OpenFilter[]>;
};

/** Groups that join while a batch is being checked, and are owed some of it, are checked in further rounds, up to this many. */
const maxRounds = 50;

/** Messages after which the sockets get their turn to be written to, and others theirs to be heard. */
const messagesPerTurn = 10_000;

/**
 * Brings a batch of changes to its subscribers: match in memory, ask the database once per group, deliver in order.
 * Yields how many of them, from the first on, went out: when subscribers come while it delivers, the rest has to be
 * dispatched again. Rejects before anything goes out. Groups whose policy is slow get their changes by the slow lane.
 */
export async function dispatchChanges(changes: readonly Change[], options: DispatchOptions): Promise<number> {
  const { index, delivery, slowLane } = options;
  const batch = changes.map(
    (change): Judged => ({ change, telling: new Telling(change, noCasts), reached: [], slow: [] }),
  );
  const seen = new Set<Group>();
  let version = -1;
  for (let round = 0; round < maxRounds && index.version !== version; round++) {
    version = index.version;
    const found = changes.map((change) => freshGroups(change, seen, index));
    if (found.every((groups) => groups.length === 0)) break;
    await judge(batch, found, options);
    for (const groups of new Set(found)) for (const group of groups) seen.add(group);
  }
  version = index.version;
  let done = 0;
  let messages = 0;
  for (const { change, telling, reached, slow } of batch) {
    if (messages > messagesPerTurn) {
      messages = 0;
      await nextTurn();
      if (index.version !== version) break;
    }
    if (change.relation.isMessages) options.onStoredMessage(change);
    messages += delivery.deliver(telling, reached);
    for (const candidate of slow) slowLane.add(telling, candidate);
    done++;
  }
  await delivery.untilTaken();
  return done;
}

const noCasts: JsonCasts = () => null;
const noGroups: readonly Group[] = [];

function freshGroups(change: Change, seen: ReadonlySet<Group>, index: SubscriptionIndex): readonly Group[] {
  if (!change.relation.isPublished) return noGroups;
  const groups = index.candidates(change);
  // The list itself where it can be: changes that share it share what is worked out for it.
  if (seen.size === 0) return groups;
  return groups.filter((group) => !seen.has(group) && change.commitLsn >= group.sinceLsn);
}

async function judge(
  batch: readonly Judged[],
  found: readonly (readonly Group[])[],
  options: DispatchOptions,
): Promise<void> {
  const changes = batch.map(({ change }) => change);
  const concerned = changes.filter((_, i) => (found[i]?.length ?? 0) > 0);
  const casts = await readJsonCasts(concerned, options.db, options.patienceMs);
  const questions = createQuestions(options);
  const candidates = await readCandidates(changes, found, { ...options, questions });
  const open: Open[] = [];
  batch.forEach((judged, i) => {
    const groups = found[i] ?? noGroups;
    if (groups.length === 0) return;
    const { change } = judged;
    judged.telling = new Telling(change, casts);
    open.push(consider(judged, candidates.placeOf(change), candidates.of(change, groups), questions));
  });
  if (questions.hasVisibility) {
    await untilVisible(new Set(concerned.map(({ xid }) => xid)), options.readSnapshot);
  }
  await questions.ask();
  for (const each of open) settle(each, questions);
}

/** Holds a change against the filters of its candidates, and puts the questions that are left. */
function consider(
  judged: Judged,
  place: number | null,
  candidates: readonly Candidate[],
  questions: Questions,
): Open {
  const { change, reached } = judged;
  const open: Open = { judged, place, candidates: [], filters: new Map() };
  for (const candidate of candidates) {
    const { group, form } = candidate;
    if (change.commitLsn < group.sinceLsn) continue;
    if (change.kind !== 'DELETE' && form.error !== null) {
      reached.push(candidate);
      continue;
    }
    const { filters, role } = group.interest;
    if (filters.length > 0) {
      const match = matchFilters(change, filters);
      if (match === 'no') continue;
      if (match.length > 0) open.filters.set(candidate, match);
      for (const filter of match) questions.filter(role, filter);
    }
    const check = checkFor(candidate, change);
    if (check !== null && check !== 'lane' && place !== null) check.ask(place);
    open.candidates.push(candidate);
  }
  return open;
}

function settle({ judged, place, candidates, filters }: Open, questions: Questions): void {
  const { change, reached, slow } = judged;
  for (const candidate of candidates) {
    const check = checkFor(candidate, change);
    const { role } = candidate.group.interest;
    const left = filters.size === 0 ? undefined : filters.get(candidate);
    if (left?.every((filter) => questions.passes(role, filter)) === false) continue;
    const sight = check === null ? true : check === 'lane' ? 'slow' : place !== null && check.sight(place);
    if (sight === true) reached.push(candidate);
    else if (sight === 'slow') slow.push(candidate);
  }
}
