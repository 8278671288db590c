import type { RequestDb } from '../../pg/session.ts';
import { compile, sql } from '../../pg/sql/sql.ts';
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

/**
 * Reads rows again as a client: yields the places of those keys whose rows its policies show now.
 * One statement for all keys. Rejects with `PgFailure` when a policy raises or takes too long.
 */
export async function askVisibility(
  db: RequestDb,
  { relation, role, claims, keys }: VisibilityQuestion,
  timeoutMs: number,
): Promise<ReadonlySet<number>> {
  const { primaryKey } = relation;
  const names = primaryKey.map((_, i) => sql.ident(`k${i}`));
  const lists = primaryKey.map(
    ({ type }, i) => sql`${keys.map((key) => key[i] ?? null)}::${typeName(type)}[]`,
  );
  const matches = primaryKey.map(
    ({ name }, i) => sql`visible.${sql.ident(name)} = asked.${names[i] ?? sql.empty}`,
  );
  const statement = sql`
    select asked.place::int4
    from unnest(${sql.join(lists)}) with ordinality as asked (${sql.join([...names, sql.ident('place')])})
    where exists (
      select from ${sql.ident(relation.schema, relation.name)} as visible where ${sql.join(matches, ' and ')}
    )`;
  const scope = {
    role,
    settings: [
      ['request.jwt.claims', claims],
      ['statement_timeout', String(timeoutMs)],
    ] as const,
  };
  const [result] = await db.run(scope, [compile(statement)]);
  return new Set((result?.rows ?? []).map(([place]) => Number(place) - 1));
}
