import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { User } from './rows.ts';
import type { Queryable } from './users.ts';

/** Users of an audience, a page of them. */
export type UserQuery = {
  readonly aud: string;
  /** Part of a mail address or full name, in which % and _ are wildcards; empty lists all. */
  readonly filter: string;
  readonly direction: 'asc' | 'desc';
  readonly limit: number;
  readonly offset: number;
};

/** A page of users, and how many there are on all pages. Identities and factors are not read. */
export async function listUsers(
  db: Queryable,
  query: UserQuery,
): Promise<{ readonly users: readonly User[]; readonly total: number }> {
  const pattern = `%${query.filter}%`;
  const filtered: Sql =
    query.filter === ''
      ? sql.empty
      : sql` and (u.email like ${pattern} or u.raw_user_meta_data ->> 'full_name' ilike ${pattern})`;
  const where = sql`u.aud = ${query.aud}${filtered}`;
  const direction = sql.keyword(query.direction);
  const users = await db.query<User>(sql`
    select u.*, '[]'::json as identities, '[]'::json as factors from auth.users u where ${where}
    order by u.created_at ${direction}, u.id ${direction} limit ${query.limit} offset ${query.offset}`);
  const [count] = await db.query<{ total: string }>(sql`
    select count(*) as total from auth.users u where ${where}`);
  return { users, total: Number(count?.total ?? 0) };
}
