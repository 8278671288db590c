import { PgFailure } from '../../pg/failure.ts';
import type { StepResult } from '../../pg/pipeline.ts';
import type { RequestDb } from '../../pg/session.ts';
import { compile, type Sql, type Statement, sql } from '../../pg/sql/sql.ts';
import type { RelationInfo } from './model.ts';
import { typeName } from './sql-operators.ts';

/** Rows of one relation that one role with one set of claims may or may not see. */
export type VisibilityQuestion = {
  readonly relation: RelationInfo;
  readonly role: string;
  readonly claims: string;
  /** Primary keys, each value in the server's print. */
  readonly keys: readonly (readonly string[])[];
};

/** Places of the keys whose rows are visible, or why nobody can say. */
export type VisibilityAnswer = ReadonlySet<number> | PgFailure;

/** Questions that share a round trip, at most; and at least, before another connection is used. */
const maxShared = 100;
const minShared = 8;
/** Connections that a batch spreads over. */
const lanes = 4;

/**
 * Reads rows again as each of the clients: yields, per question and in their order, the places of the keys whose rows
 * its policies show now. One statement per question, many questions per round trip: claims change between statements
 * of one transaction, the role does not. When one of them fails, its companions are asked again, each alone, so that
 * a policy that raises is the business of its own group.
 */
export async function askVisibility(
  db: RequestDb,
  questions: readonly VisibilityQuestion[],
  timeoutMs: number,
): Promise<readonly VisibilityAnswer[]> {
  const answers = new Map<VisibilityQuestion, VisibilityAnswer>();
  await Promise.all(
    sharesOf(questions).map(async (share) => {
      for (const [question, answer] of await askShare(db, share, timeoutMs)) answers.set(question, answer);
    }),
  );
  return questions.map((question) => answers.get(question) ?? new Set<number>());
}

/** Divides the questions by role into what travels together. */
function sharesOf(questions: readonly VisibilityQuestion[]): readonly (readonly VisibilityQuestion[])[] {
  const byRole = new Map<string, VisibilityQuestion[]>();
  for (const question of questions) {
    const list = byRole.get(question.role);
    if (list === undefined) byRole.set(question.role, [question]);
    else list.push(question);
  }
  const size = Math.min(maxShared, Math.max(minShared, Math.ceil(questions.length / lanes)));
  const shares: (readonly VisibilityQuestion[])[] = [];
  for (const list of byRole.values()) {
    for (let at = 0; at < list.length; at += size) shares.push(list.slice(at, at + size));
  }
  return shares;
}

type Answered = readonly (readonly [VisibilityQuestion, VisibilityAnswer])[];

async function askShare(
  db: RequestDb,
  share: readonly VisibilityQuestion[],
  timeoutMs: number,
): Promise<Answered> {
  try {
    return await runShare(db, share, timeoutMs);
  } catch (failure) {
    if (!(failure instanceof PgFailure) || failure.kind !== 'server') throw failure;
    const [only] = share;
    if (share.length === 1 && only !== undefined) return [[only, failure]];
    const alone = await Promise.all(share.map((question) => askShare(db, [question], timeoutMs)));
    return alone.flat();
  }
}

async function runShare(
  db: RequestDb,
  share: readonly VisibilityQuestion[],
  timeoutMs: number,
): Promise<Answered> {
  const role = share[0]?.role ?? '';
  const steps = share.flatMap((question) => [
    forgetSettings,
    settingsFor(question, timeoutMs),
    statementOf(question),
  ]);
  const results = await db.run({ role, settings: [] }, steps);
  return share.map((question, i) => [question, placesOf(results[3 * i + 2])]);
}

/**
 * What a policy's function has put into settings must not be found by the next client of the transaction: functions
 * keep there what they looked up. The role is no setting of this kind, and stays.
 */
const forgetSettings: Statement = { text: 'reset all', values: [] };

const placesOf = (result: StepResult | undefined): ReadonlySet<number> =>
  new Set((result?.rows ?? []).map(([place]) => Number(place) - 1));

const settingsFor = ({ claims }: VisibilityQuestion, timeoutMs: number): Statement =>
  // A plan for the few keys of one batch would be used once; one for any number of keys serves all.
  compile(sql`
    select set_config('request.jwt.claims', ${claims}, true),
      set_config('statement_timeout', ${String(timeoutMs)}, true),
      set_config('plan_cache_mode', 'force_generic_plan', true)`);

/** The limit keeps the lookup a loop over the key's index: joined at will, a plan made while the table is small reads it all. */
function statementOf({ relation, keys }: VisibilityQuestion): Statement {
  const { primaryKey } = relation;
  const names = primaryKey.map((_, i): Sql => sql.ident(`k${i}`));
  const lists = primaryKey.map(
    ({ type }, i) => sql`${keys.map((key) => key[i] ?? null)}::${typeName(type)}[]`,
  );
  const matches = primaryKey.map(
    ({ name }, i) => sql`visible.${sql.ident(name)} = asked.${names[i] ?? sql.empty}`,
  );
  return compile(sql`
    select asked.place::int4
    from unnest(${sql.join(lists)}) with ordinality as asked (${sql.join([...names, sql.ident('place')])})
    cross join lateral (
      select from ${sql.ident(relation.schema, relation.name)} as visible where ${sql.join(matches, ' and ')} limit 1
    ) as found`);
}
