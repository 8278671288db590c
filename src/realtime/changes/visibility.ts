import { availableParallelism } from 'node:os';
import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb } from '../../pg/session.ts';
import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import { DeletedRows, deletedQuestion } from './deleted-rows.ts';
import type { RelationInfo } from './model.ts';
import { AskedRows, type RowSet } from './row-key.ts';
import { typeName } from './sql-operators.ts';

/** Rows of one relation that one role with one set of claims may or may not see. */
export type VisibilityQuestion = {
  readonly rows: RowSet;
  /** Which of the rows are asked about, each once. */
  readonly places: readonly number[];
  readonly role: string;
  readonly claims: string;
  /** What the role's policies ask of a row; it is read for rows that are gone. */
  readonly policy: string;
};

/** Why nobody can say. */
export type Unanswered = { readonly sqlstate: string };

/** One per place of the question's rows, 1 where the row is visible; or why nobody can say. */
export type VisibilityAnswer = Uint8Array | Unanswered;

/** Questions that share a call, at most; and at least, before another connection is used. */
const maxShared = 256;
const minShared = 32;
/** Connections that a batch spreads over: the database is often on the same machine. */
const lanes = Math.min(4, Math.max(2, availableParallelism()));
/** A call goes on to another client for this part of the time that each may take. */
const shareOfPatience = 1 / 4;
/** Keys from which on a scan over all of them beats one lookup per key. */
const manyKeys = 16;

/**
 * Reads rows again as each of the clients: which of them do its policies show now? Yields an answer per question, in
 * their order. Clients of one role that ask about one relation share calls of `ownbase.ask_as_each`, where a policy
 * that raises or sleeps is the business of its own client.
 */
export async function askVisibility(
  db: RequestDb,
  questions: readonly VisibilityQuestion[],
  timeoutMs: number,
): Promise<readonly VisibilityAnswer[]> {
  const answers = new Map<VisibilityQuestion, VisibilityAnswer>();
  await Promise.all(sharesOf(questions).map((share) => askShare(db, share, timeoutMs, answers)));
  return questions.map((question) => answers.get(question) ?? noRow(question));
}

const noRow = ({ rows }: VisibilityQuestion): Uint8Array => new Uint8Array(rows.size);

/** Divides the questions into what goes into one call: of one role, about one relation. */
function sharesOf(questions: readonly VisibilityQuestion[]): readonly (readonly VisibilityQuestion[])[] {
  const kinds = new Map<RowSet, Map<string, VisibilityQuestion[]>>();
  for (const question of questions) {
    const byRole = kinds.get(question.rows) ?? new Map<string, VisibilityQuestion[]>();
    kinds.set(question.rows, byRole);
    const list = byRole.get(question.role);
    if (list === undefined) byRole.set(question.role, [question]);
    else list.push(question);
  }
  const size = Math.min(maxShared, Math.max(minShared, Math.ceil(questions.length / lanes)));
  const shares: (readonly VisibilityQuestion[])[] = [];
  for (const byRole of kinds.values()) {
    for (const list of byRole.values()) {
      for (let at = 0; at < list.length; at += size) shares.push(list.slice(at, at + size));
    }
  }
  return shares;
}

async function askShare(
  db: RequestDb,
  share: readonly VisibilityQuestion[],
  timeoutMs: number,
  answers: Map<VisibilityQuestion, VisibilityAnswer>,
): Promise<void> {
  let left = share;
  while (left.length > 0) left = left.slice(await call(db, left, timeoutMs, answers));
}

/** Asks for as many as there is time for, one at least; yields how many these were. */
async function call(
  db: RequestDb,
  share: readonly VisibilityQuestion[],
  timeoutMs: number,
  answers: Map<VisibilityQuestion, VisibilityAnswer>,
): Promise<number> {
  const [first] = share;
  if (first === undefined) return 0;
  const { rows, role } = first;
  const texts = share.map(({ places }) => rows.textOf(places));
  const isShared = texts.every((text) => text === texts[0]);
  const { text: question, answersByKey } = put(first, argument(isShared ? texts[0] : null));
  const statement = compile(sql`
    select client, answer, failure from ownbase.ask_as_each(${role}::text, ${question}::text,
      ${share.map(({ claims }) => claims)}::text[], ${isShared ? null : texts}::text[],
      ${Math.ceil(timeoutMs * shareOfPatience)}::int)`);
  try {
    // The function takes the role itself, when it has read what it was given.
    const scope = { role: 'none', settings: [['statement_timeout', String(timeoutMs)] as const] };
    const [result] = await db.run(scope, [statement]);
    let asked = 0;
    for (const [place, answer = null, failure = null] of result?.rows ?? []) {
      asked = Number(place);
      const question = share[asked - 1];
      if (question === undefined) continue;
      if (failure !== null) answers.set(question, { sqlstate: failure });
      else if (answer !== null) answers.set(question, visibleOf(question, answer, answersByKey));
    }
    if (asked === 0) throw new RangeError('a question about visibility was not answered');
    return asked;
  } catch (failure) {
    if (!(failure instanceof PgFailure) || failure.kind !== 'server' || isOutage(failure)) throw failure;
    // What fails before anybody's claims are looked at fails for all of them.
    const isUnknown = rows instanceof DeletedRows && failure.sqlstate === undefinedColumn;
    for (const question of share) answers.set(question, isUnknown ? noRow(question) : failure);
    return share.length;
  }
}

/** A policy reads what the stream does not tell of a deleted row: nobody can be shown to have seen it. */
const undefinedColumn = '42703';

/** The server ends, or has no room: nothing that a client or a policy did. */
const isOutage = ({ sqlstate }: PgFailure): boolean => /^(57P|53)/.test(sqlstate);

function visibleOf(question: VisibilityQuestion, answer: string, answersByKey: boolean): Uint8Array {
  const { rows, places } = question;
  const visible = noRow(question);
  for (const word of answer.split(',')) {
    const place =
      answersByKey && rows instanceof AskedRows ? rows.placeOfText(word) : places[Number(word) - 1];
    if (place !== undefined) visible[place] = 1;
  }
  return visible;
}

/** The question in SQL; its answers are keys of rows, or places among those that are asked about. */
function put(
  { rows, places, policy }: VisibilityQuestion,
  keys: Sql,
): { readonly text: string; readonly answersByKey: boolean } {
  if (rows instanceof DeletedRows) return { text: deletedQuestion(rows, policy, keys), answersByKey: false };
  const answersByKey = places.length >= manyKeys && isScannable(rows.relation);
  return { text: answersByKey ? scan(rows.relation, keys) : lookup(rows.relation, keys), answersByKey };
}

/** int8, int2, int4, uuid: their print holds no comma, and is the same under any settings. */
const plainlyPrinted = new Set([20, 21, 23, 2950]);

const isScannable = ({ primaryKey }: RelationInfo): boolean =>
  primaryKey.length === 1 && plainlyPrinted.has(primaryKey[0]?.type.oid ?? 0);

/** The keys of the visible rows, by one scan. */
function scan({ schema, name, primaryKey }: RelationInfo, keys: Sql): string {
  const [column] = primaryKey;
  if (column === undefined) throw new RangeError('rows without a key cannot be asked about');
  const key = sql`visible.${sql.ident(column.name)}`;
  return compile(sql`
    select string_agg(${key}::text, ',') from ${sql.ident(schema, name)} as visible
    where ${key} = any(${keys}::${typeName(column.type)}[])`).text;
}

/**
 * The places of the visible rows, by one lookup per key. The limit keeps each of them a loop over the key's index: where
 * the planner joins at will, it may read the whole table.
 */
function lookup({ schema, name, primaryKey }: RelationInfo, keys: Sql): string {
  const names = primaryKey.map((_, i): Sql => sql.ident(`k${i}`));
  const lists = primaryKey.map(({ type }, i) =>
    primaryKey.length === 1
      ? sql`${keys}::${typeName(type)}[]`
      : sql`(${keys}::text[])[${sql.fromServer(String(i + 1))}]::${typeName(type)}[]`,
  );
  const matches = primaryKey.map(
    ({ name: column }, i) => sql`visible.${sql.ident(column)} = asked.${names[i] ?? sql.fromServer('')}`,
  );
  return compile(sql`
    select string_agg(asked.place::text, ',')
    from unnest(${sql.join(lists)}) with ordinality as asked (${sql.join([...names, sql.ident('place')])})
    cross join lateral (
      select from ${sql.ident(schema, name)} as visible where ${sql.join(matches, ' and ')} limit 1
    ) as found`).text;
}

/** What is asked about: in the text, or what stands for $1. */
const argument = (keys: string | null | undefined): Sql =>
  keys == null ? sql.fromServer('$1') : sql.literal(keys);
