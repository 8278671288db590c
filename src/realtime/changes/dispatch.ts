import { setTimeout as delay } from 'node:timers/promises';
import type { Relations } from '../feed/relations.ts';
import type { Frame } from '../socket/frame.ts';
import { changeError, changeFrame, encodeChange, encodeError } from './encode.ts';
import { matchFilters, type OpenFilter } from './match.ts';
import type { Change, RoleAccess } from './model.ts';
import { type Answers, createQuestions, type Questions, type QuestionsOptions } from './questions.ts';
import { untilVisible } from './snapshot.ts';
import type { ChangeReceiver, Group, SubscriptionIndex } from './subscription-index.ts';

/** What the dispatcher works with. */
export type DispatchOptions = QuestionsOptions & {
  readonly index: SubscriptionIndex;
  readonly relations: Relations;
  /** The current snapshot, as the server prints it. */
  readonly readSnapshot: () => Promise<string>;
  /** Takes stored messages, which are broadcast at their place among the changes. */
  readonly onStoredMessage: (change: Change) => void;
  /** Whether deliveries are above their limit: then they are skipped. */
  readonly mustSkip: () => boolean;
  readonly onDelivered: (count: number) => void;
  /** Unsent bytes of a socket above which the next batch waits a little. */
  readonly highWaterBytes: number;
};

/** A group that a change may reach, and what that still depends on. */
type Candidate = {
  readonly group: Group;
  readonly access: RoleAccess;
  readonly data: () => string;
  readonly open: readonly OpenFilter[];
  readonly needsCheck: boolean;
};

/** Groups that join while a batch is being checked are checked in further rounds, up to this many. */
const maxRounds = 5;

/**
 * Brings a batch of changes to its subscribers: match in memory, ask the database once per group, deliver in order.
 * Nothing is delivered before everything is answered, so that a rejected batch can be dispatched again.
 */
export async function dispatchChanges(changes: readonly Change[], options: DispatchOptions): Promise<void> {
  const reached = changes.map(() => new Map<Group, Candidate>());
  const seen = new Set<Group>();
  for (let round = 0; round < maxRounds; round++) {
    const fresh = newGroups(changes, seen, options.index);
    if (fresh.size === 0) break;
    await checkGroups(changes, fresh, reached, options);
    for (const group of fresh) seen.add(group);
  }
  const told = new Set<ChangeReceiver>();
  changes.forEach((change, i) => {
    if (change.relation.isMessages) options.onStoredMessage(change);
    deliver(change, reached[i]?.values() ?? [], told, options);
  });
  await untilTaken(told, options.highWaterBytes);
}

function newGroups(
  changes: readonly Change[],
  seen: ReadonlySet<Group>,
  index: SubscriptionIndex,
): ReadonlySet<Group> {
  const fresh = new Set<Group>();
  for (const { relation, kind } of changes) {
    if (!relation.isPublished) continue;
    for (const group of index.candidates(relation, kind)) if (!seen.has(group)) fresh.add(group);
  }
  return fresh;
}

async function checkGroups(
  changes: readonly Change[],
  fresh: ReadonlySet<Group>,
  reached: readonly Map<Group, Candidate>[],
  options: DispatchOptions,
): Promise<void> {
  const questions = createQuestions(options);
  const found: (readonly Candidate[])[] = [];
  for (const change of changes) found.push(await candidatesOf(change, fresh, questions, options));
  if (questions.hasVisibility) {
    await untilVisible(new Set(changes.map(({ xid }) => xid)), options.readSnapshot);
  }
  const answers = await questions.ask();
  found.forEach((candidates, i) => {
    const change = changes[i];
    if (change === undefined) return;
    for (const candidate of candidates) {
      if (isReached(candidate, change, answers)) reached[i]?.set(candidate.group, candidate);
    }
  });
}

function isReached({ group, open, needsCheck }: Candidate, change: Change, answers: Answers): boolean {
  const { role, claims } = group.interest;
  return (
    open.every((filter) => answers.passes(role, filter)) &&
    (!needsCheck || answers.sees(role, claims, change))
  );
}

async function candidatesOf(
  change: Change,
  fresh: ReadonlySet<Group>,
  questions: Questions,
  options: DispatchOptions,
): Promise<readonly Candidate[]> {
  const { relation, kind } = change;
  if (!relation.isPublished) return [];
  const candidates: Candidate[] = [];
  const texts = new Map<string, string>();
  for (const group of options.index.candidates(relation, kind)) {
    if (!fresh.has(group) || !hasListeners(group, change)) continue;
    const { filters, role, claims, select } = group.interest;
    const access = await options.relations.access(relation, role);
    const error = changeError(change, access);
    if (error !== null) {
      candidates.push({ group, access, open: [], needsCheck: false, data: () => encodeError(change, error) });
      continue;
    }
    const match = matchFilters(change, filters);
    if (match === 'no') continue;
    const needsCheck = relation.hasRowSecurity && kind !== 'DELETE' && !access.bypassesRowSecurity;
    for (const open of match) questions.filter(role, open);
    if (needsCheck) questions.visibility(role, claims, change);
    const variant = JSON.stringify([role, select]);
    const data = (): string => {
      const text = texts.get(variant) ?? encodeChange(change, access, select);
      texts.set(variant, text);
      return text;
    };
    candidates.push({ group, access, open: match, needsCheck, data });
  }
  return candidates;
}

const hasListeners = ({ subscribers }: Group, { commitLsn }: Change): boolean => {
  for (const { sinceLsn } of subscribers) if (commitLsn >= sinceLsn) return true;
  return false;
};

function deliver(
  change: Change,
  candidates: Iterable<Candidate>,
  told: Set<ChangeReceiver>,
  options: DispatchOptions,
): void {
  const variants = new Map<string, Map<ChangeReceiver, number[]>>();
  for (const { group, data } of candidates) {
    const text = data();
    const receivers = variants.get(text) ?? new Map<ChangeReceiver, number[]>();
    variants.set(text, receivers);
    for (const { receiver, id, sinceLsn } of group.subscribers) {
      if (change.commitLsn < sinceLsn) continue;
      const ids = receivers.get(receiver);
      if (ids === undefined) receivers.set(receiver, [id]);
      else ids.push(id);
    }
  }
  for (const [data, receivers] of variants) sendAll(data, receivers, told, options);
}

function sendAll(
  data: string,
  receivers: ReadonlyMap<ChangeReceiver, readonly number[]>,
  told: Set<ChangeReceiver>,
  options: DispatchOptions,
): void {
  if (options.mustSkip()) return;
  const frames = new Map<string, Frame>();
  for (const [receiver, ids] of receivers) {
    const key = `${receiver.serializer.version} ${ids.join(',')} ${receiver.topic}`;
    const frame = frames.get(key) ?? changeFrame(receiver.serializer, receiver.topic, ids, data);
    frames.set(key, frame);
    receiver.send(frame);
    told.add(receiver);
  }
  options.onDelivered(receivers.size);
}

const pressureStepMs = 5;
const maxPressureSteps = 20;

/**
 * Gives clients that read, but not as fast as a large transaction is written, time to take what they were sent.
 * The wait is bounded: one that does not read at all delays the others a little, and is cut soon after.
 */
async function untilTaken(told: ReadonlySet<ChangeReceiver>, highWaterBytes: number): Promise<void> {
  for (let step = 0; step < maxPressureSteps; step++) {
    let isHigh = false;
    for (const receiver of told) isHigh ||= receiver.bufferedBytes() > highWaterBytes;
    if (!isHigh) return;
    await delay(pressureStepMs);
  }
}
