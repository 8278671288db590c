import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb } from '../../pg/session.ts';
import { askFilter, type FilterQuestion } from './filter-query.ts';
import type { OpenFilter } from './match.ts';
import type { Change, RelationInfo } from './model.ts';
import { askVisibility } from './visibility.ts';

/** Answers to what was asked in a batch. */
export interface Answers {
  /** Whether the database lets the value through the filter. */
  passes(role: string, open: OpenFilter): boolean;
  /** Whether the role with these claims sees the changed row. */
  sees(role: string, claims: string, change: Change): boolean;
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
  readonly timeoutMs: number;
  /** A policy or a filter that raised or took too long. */
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
  visible: ReadonlySet<number>;
};

const nothing: ReadonlySet<never> = new Set<never>();

const filterKey = (role: string, { filter, column }: OpenFilter): string =>
  JSON.stringify([role, column.type.oid, filter.op, filter.value, filter.negate]);

const visibilityKey = (role: string, claims: string, { relation }: Change): string =>
  `${relation.oid}\0${role}\0${claims}`;

/** The changed row's primary key; null when a part of it is not known. */
function primaryKeyOf({ relation, row }: Change): readonly string[] | null {
  const key = relation.primaryKey.map(({ name }) => row?.get(name) ?? null);
  return key.every((part) => part !== null) ? key : null;
}

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
      const pending = visibilities.get(key) ?? {
        relation: change.relation,
        role,
        claims,
        places: new Map<string, number>(),
        keys: [],
        visible: nothing,
      };
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
        sees(role, claims, change) {
          const pending = visibilities.get(visibilityKey(role, claims, change));
          const place = pending?.places.get(JSON.stringify(primaryKeyOf(change)));
          return place !== undefined && pending?.visible.has(place) === true;
        },
      };
    },
  };
}

async function answerFilter(pending: PendingFilter, options: QuestionsOptions): Promise<void> {
  try {
    const question = { ...pending, values: [...pending.values] };
    pending.passing = await askFilter(options.db, question, options.timeoutMs);
  } catch (failure) {
    denyOrThrow(failure, `filter on ${pending.type.name}`, options);
  }
}

async function answerVisibility(
  questions: readonly PendingVisibility[],
  options: QuestionsOptions,
): Promise<void> {
  const answers = await askVisibility(options.db, questions, options.timeoutMs);
  questions.forEach((pending, i) => {
    const answer = answers[i];
    const { relation } = pending;
    if (answer instanceof PgFailure) denyOrThrow(answer, `${relation.schema}.${relation.name}`, options);
    else if (answer !== undefined) pending.visible = answer;
  });
}

/** An error of the server is the group's own: it sees nothing. Without a server nobody can be answered. */
function denyOrThrow(failure: unknown, about: string, { onFailure }: QuestionsOptions): void {
  const isOurs =
    failure instanceof PgFailure && failure.kind === 'server' && !/^(57P|53)/.test(failure.sqlstate);
  if (!isOurs) throw failure;
  onFailure(failure, about);
}
