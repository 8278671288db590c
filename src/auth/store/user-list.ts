import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { User } from './rows.ts';
import type { Queryable } from './users.ts';

/** Users of an audience. */
export type UserQuery = {
  readonly aud: string;
  /** Part of a mail address or full name, in which % and _ are wildcards; empty lists all. */
  readonly filter: string;
  readonly direction: 'asc' | 'desc';
  readonly limit: number;
};

/** A user's place in the list. */
export type Position = { readonly createdAt: string; readonly id: string };

const columns = sql`u.*, '[]'::json as identities, '[]'::json as factors`;

function matching({ aud, filter }: UserQuery): Sql {
  const pattern = `%${filter}%`;
  const filtered =
    filter === ''
      ? sql.empty
      : sql` and (u.email like ${pattern} or u.raw_user_meta_data ->> 'full_name' ilike ${pattern})`;
  return sql`u.aud = ${aud}${filtered}`;
}

const ordered = ({ direction, limit }: UserQuery): Sql => sql`
  order by u.created_at ${sql.keyword(direction)}, u.id ${sql.keyword(direction)} limit ${limit}`;

/** A page of users, and how many there are on all pages. Identities and factors are not read. */
export async function listUsers(
  db: Queryable,
  query: UserQuery & { readonly offset: number },
): Promise<{ readonly users: readonly User[]; readonly total: number }> {
  const where = matching(query);
  const users = await db.query<User>(sql`
    select ${columns} from auth.users u where ${where}${ordered(query)} offset ${query.offset}`);
  const [count] = await db.query<{ total: string }>(sql`
    select count(*) as total from auth.users u where ${where}`);
  return { users, total: Number(count?.total ?? 0) };
}

/** The users after a position, or the first ones; found by the index, however far in the list they are. */
export function listUsersAfter(
  db: Queryable,
  query: UserQuery,
  after: Position | null,
): Promise<readonly User[]> {
  const compared = query.direction === 'asc' ? sql`>` : sql`<`;
  const beyond =
    after === null
      ? sql.empty
      : sql` and (u.created_at, u.id) ${compared} (${after.createdAt}::timestamptz, ${after.id}::uuid)`;
  return db.query<User>(sql`
    select ${columns} from auth.users u where ${matching(query)}${beyond}${ordered(query)}`);
}
