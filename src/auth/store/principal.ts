import { sql } from '../../pg/sql/sql.ts';
import type { Session, User } from './rows.ts';
import { sessionColumns } from './sessions.ts';
import { type Queryable, userColumns } from './users.ts';

/** A user and the session of the token that names it. */
export type PrincipalRow = { readonly user: User; readonly session: Session | null };

/** Reads both in one round trip; null when there is no such user. A session of somebody else does not count. */
export async function readPrincipal(
  db: Queryable,
  userId: string,
  sessionId: string | null,
): Promise<PrincipalRow | null> {
  const [row] = await db.query<PrincipalRow>(sql`
    select (select to_json(x) from (select ${userColumns}) x) as user,
      (select to_json(y) from (
        select ${sessionColumns} from auth.sessions s where s.id = ${sessionId}::uuid and s.user_id = u.id) y) as session
    from auth.users u where u.id = ${userId}`);
  return row ?? null;
}
