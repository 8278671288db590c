import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb } from '../../pg/session.ts';
import { askFilter, type FilterQuestion } from './filter-query.ts';
import type { OpenFilter } from './match.ts';
import type { RowSet } from './row-key.ts';
import { askVisibility, type Unanswered, type VisibilityQuestion } from './visibility.ts';

/** Whether a role with its claims sees a row; `slow` when its policy took too long to wait for. */
export type Sight = boolean | 'slow';

/** The rows of a relation that a role with its claims is asked about. */
export interface SightQuestion {
  /** Asks about the row at this place, too. */
  ask(place: number): void;
  /** The answer for that row; no before it was given. */
  sight(place: number): Sight;
}

/** Collects what only the database can tell about a batch, so that each question is asked once, for all rows. */
export interface Questions {
  filter(role: string, open: OpenFilter): void;
  /** Whether the database lets the value through the filter; no before it was asked. */
  passes(role: string, open: OpenFilter): boolean;
  /** The question of this role and claims about the rows. */
  visibility(role: string, claims: string, rows: RowSet, policy: string): SightQuestion;
  readonly hasVisibility: boolean;
  /** Asks everything. A question that fails is answered with no; rejects when the database is out of reach. */
  ask(): Promise<void>;
}

/** What the questions are asked with. */
export type QuestionsOptions = {
  readonly db: RequestDb;
  /** Time that a question may take while everybody waits for it. */
  readonly patienceMs: number;
  /** A policy or a filter that raised, or a filter that took too long. */
  readonly onFailure: (failure: Unanswered, relation: string) => void;
};

type PendingFilter = Omit<FilterQuestion, 'values'> & {
  readonly values: Set<string>;
  passing: ReadonlySet<string>;
};

class PendingSight implements SightQuestion, VisibilityQuestion {
  readonly rows: RowSet;
  readonly role: string;
  readonly claims: string;
  readonly policy: string;
  readonly places: number[] = [];
  readonly #asked: boolean[] = [];
  visible: Uint8Array | 'slow' | null = null;

  constructor(role: string, claims: string, rows: RowSet, policy: string) {
    this.rows = rows;
    this.policy = policy;
    this.role = role;
    this.claims = claims;
  }

  ask(place: number): void {
    if (this.#asked[place] === true) return;
    this.#asked[place] = true;
    this.places.push(place);
  }

  sight(place: number): Sight {
    if (this.visible === 'slow') return 'slow';
    return this.visible !== null && this.visible[place] === 1;
  }
}

const nothing: ReadonlySet<never> = new Set<never>();
const queryCanceled = '57014';

const filterKey = (role: string, { filter, column }: OpenFilter): string =>
  JSON.stringify([role, column.type.oid, filter.op, filter.value, filter.negate]);

/** Starts to collect. */
export function createQuestions(options: QuestionsOptions): Questions {
  const filters = new Map<string, PendingFilter>();
  const sights = new Map<RowSet, Map<string, PendingSight>>();
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
    passes: (role, open) => filters.get(filterKey(role, open))?.passing.has(open.value) ?? false,
    visibility(role, claims, rows, policy) {
      const ofRows = sights.get(rows) ?? new Map<string, PendingSight>();
      sights.set(rows, ofRows);
      const key = `${role}\0${claims}`;
      const pending = ofRows.get(key) ?? new PendingSight(role, claims, rows, policy);
      ofRows.set(key, pending);
      return pending;
    },
    get hasVisibility() {
      return sights.size > 0;
    },
    async ask() {
      await Promise.all([
        ...[...filters.values()].map((pending) => answerFilter(pending, options)),
        answerSights(
          [...sights.values()].flatMap((ofRows) => [...ofRows.values()]),
          options,
        ),
      ]);
    },
  };
}

async function answerFilter(pending: PendingFilter, options: QuestionsOptions): Promise<void> {
  try {
    const question = { ...pending, values: [...pending.values] };
    pending.passing = await askFilter(options.db, question, options.patienceMs);
  } catch (failure) {
    // An error of the server is the filter's own. Without a server nobody can be answered.
    const isOurs =
      failure instanceof PgFailure && failure.kind === 'server' && !/^(57P|53)/.test(failure.sqlstate);
    if (!isOurs) throw failure;
    options.onFailure(failure, `filter on ${pending.type.name}`);
  }
}

async function answerSights(
  questions: readonly PendingSight[],
  { db, patienceMs, onFailure }: QuestionsOptions,
): Promise<void> {
  const asked = questions.filter(({ places }) => places.length > 0);
  const answers = await askVisibility(db, asked, patienceMs);
  asked.forEach((pending, i) => {
    const answer = answers[i];
    const { schema, name } = pending.rows.relation;
    if (answer === undefined) return;
    if (answer instanceof Uint8Array) pending.visible = answer;
    else if (answer.sqlstate === queryCanceled) pending.visible = 'slow';
    else onFailure(answer, `${schema}.${name}`);
  });
}
