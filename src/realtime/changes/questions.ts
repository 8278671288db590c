import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb } from '../../pg/session.ts';
import { askFilter, type FilterQuestion } from './filter-query.ts';
import type { OpenFilter } from './match.ts';
import type { Change, RelationInfo } from './model.ts';
import { primaryKeyOf, visibilityKey } from './row-key.ts';
import { askVisibility } from './visibility.ts';

/** Whether a role with its claims sees a row; `slow` when its policy took too long to wait for. */
export type Sight = boolean | 'slow';

/** Answers to what was asked in a batch. */
export interface Answers {
  /** Whether the database lets the value through the filter. */
  passes(role: string, open: OpenFilter): boolean;
  sees(role: string, claims: string, change: Change): Sight;
}

/** Collects what only the database can tell about a batch, so that each question is asked once, for all rows. */
export interface Questions {
  filter(role: string, open: OpenFilter): void;
  visibility(role: string, claims: string, change: Change): void;
  readonly hasVisibility: boolean;
  /** Asks everything. A question that fails is answered with no; rejects when the database is out of reach. */
  ask(): Promise<Answers>;
}

/** What the questions are asked with. */
export type QuestionsOptions = {
  readonly db: RequestDb;
  /** Time that a question may take while everybody waits for it. */
  readonly patienceMs: number;
  /** A policy or a filter that raised, or a filter that took too long. */
  readonly onFailure: (failure: PgFailure, relation: string) => void;
};

type PendingFilter = Omit<FilterQuestion, 'values'> & {
  readonly values: Set<string>;
  passing: ReadonlySet<string>;
};
type PendingVisibility = {
  readonly relation: RelationInfo;
  readonly role: string;
  readonly claims: string;
  /** Places of the keys in the question. */
  readonly places: Map<string, number>;
  readonly keys: (readonly string[])[];
  visible: ReadonlySet<number> | 'slow';
};

const nothing: ReadonlySet<never> = new Set<never>();
const queryCanceled = '57014';

const filterKey = (role: string, { filter, column }: OpenFilter): string =>
  JSON.stringify([role, column.type.oid, filter.op, filter.value, filter.negate]);

/** Starts to collect. */
export function createQuestions(options: QuestionsOptions): Questions {
  const filters = new Map<string, PendingFilter>();
  const visibilities = new Map<string, PendingVisibility>();
  return {
    filter(role, open) {
      const key = filterKey(role, open);
      const pending = filters.get(key) ?? {
        role,
        filter: open.filter,
        type: open.column.type,
        values: new Set<string>(),
        passing: nothing,
      };
      filters.set(key, pending);
      pending.values.add(open.value);
    },
    visibility(role, claims, change) {
      const parts = primaryKeyOf(change);
      if (parts === null) return;
      const key = visibilityKey(role, claims, change);
      const pending = visibilities.get(key) ?? newVisibility(role, claims, change.relation);
      visibilities.set(key, pending);
      const text = JSON.stringify(parts);
      if (pending.places.has(text)) return;
      pending.places.set(text, pending.keys.length);
      pending.keys.push(parts);
    },
    get hasVisibility() {
      return visibilities.size > 0;
    },
    async ask() {
      await Promise.all([
        ...[...filters.values()].map((pending) => answerFilter(pending, options)),
        answerVisibility([...visibilities.values()], options),
      ]);
      return {
        passes: (role, open) => filters.get(filterKey(role, open))?.passing.has(open.value) ?? false,
        sees: (role, claims, change) =>
          sightOf(visibilities.get(visibilityKey(role, claims, change)), primaryKeyOf(change)),
      };
    },
  };
}

const newVisibility = (role: string, claims: string, relation: RelationInfo): PendingVisibility => ({
  relation,
  role,
  claims,
  places: new Map(),
  keys: [],
  visible: nothing,
});

function sightOf(pending: PendingVisibility | undefined, key: readonly string[] | null): Sight {
  if (pending === undefined || key === null) return false;
  if (pending.visible === 'slow') return 'slow';
  const place = pending.places.get(JSON.stringify(key));
  return place !== undefined && pending.visible.has(place);
}

async function answerFilter(pending: PendingFilter, options: QuestionsOptions): Promise<void> {
  try {
    const question = { ...pending, values: [...pending.values] };
    pending.passing = await askFilter(options.db, question, options.patienceMs);
  } catch (failure) {
    denyOrThrow(failure, `filter on ${pending.type.name}`, options);
  }
}

async function answerVisibility(
  questions: readonly PendingVisibility[],
  options: QuestionsOptions,
): Promise<void> {
  const answers = await askVisibility(options.db, questions, options.patienceMs);
  questions.forEach((pending, i) => {
    const answer = answers[i];
    const { relation } = pending;
    if (answer === undefined) return;
    if (!(answer instanceof PgFailure)) pending.visible = answer;
    else if (answer.sqlstate === queryCanceled) pending.visible = 'slow';
    else denyOrThrow(answer, `${relation.schema}.${relation.name}`, options);
  });
}

/** An error of the server is the group's own: it sees nothing. Without a server nobody can be answered. */
function denyOrThrow(failure: unknown, about: string, { onFailure }: QuestionsOptions): void {
  const isOurs =
    failure instanceof PgFailure && failure.kind === 'server' && !/^(57P|53)/.test(failure.sqlstate);
  if (!isOurs) throw failure;
  onFailure(failure, about);
}
