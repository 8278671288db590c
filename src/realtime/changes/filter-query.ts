import type { RequestDb } from '../../pg/session.ts';
import { compile, sql } from '../../pg/sql/sql.ts';
import type { Filter } from './filter.ts';
import type { TypeInfo } from './model.ts';
import { condition, printSettings, typeName } from './sql-operators.ts';

/** A filter that only the database can decide, with the values that it is to be decided for. */
export type FilterQuestion = {
  readonly role: string;
  readonly filter: Filter;
  readonly type: TypeInfo;
  readonly values: readonly string[];
};

/** Yields those of the values that the filter lets through. Rejects with `PgFailure`. */
export async function askFilter(
  db: RequestDb,
  { role, filter, type, values }: FilterQuestion,
  timeoutMs: number,
): Promise<ReadonlySet<string>> {
  const typed = sql`candidate.text::${typeName(type)}`;
  const statement = sql`
    select candidate.place::int4
    from unnest(${[...values]}::text[]) with ordinality as candidate (text, place)
    where ${condition(typed, filter, type)}`;
  const scope = {
    role,
    readOnly: true,
    settings: [...printSettings, ['statement_timeout', String(timeoutMs)] as const],
  };
  const [result] = await db.run(scope, [compile(statement)]);
  return new Set((result?.rows ?? []).flatMap(([place]) => values[Number(place) - 1] ?? []));
}
