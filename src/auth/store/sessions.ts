import type { Transaction } from '../../pg/session.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { Session } from './rows.ts';
import type { Queryable } from './users.ts';

/** Select list of a whole session from the alias `s`, with its authentication methods. */
export const sessionColumns = sql`s.*, coalesce((
  select json_agg(json_build_object('method', a.authentication_method, 'updated_at', a.updated_at) order by a.updated_at desc)
  from auth.mfa_amr_claims a where a.session_id = s.id), '[]') as amr`;

/** The session of an id. */
export async function findSession(db: Queryable, id: string): Promise<Session | null> {
  const [session] = await db.query<Session>(sql`
    select ${sessionColumns} from auth.sessions s where s.id = ${id}`);
  return session ?? null;
}

/** All sessions of a user. */
export const findSessions = (db: Queryable, userId: string): Promise<Session[]> =>
  db.query<Session>(sql`select ${sessionColumns} from auth.sessions s where s.user_id = ${userId}`);

/** What a new session starts with. */
export type NewSession = {
  readonly id: string;
  readonly userId: string;
  readonly amrId: string;
  readonly method: string;
  readonly factorId: string | null;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly tag: string | null;
  readonly notAfter: string | null;
  readonly oauthClientId: string | null;
  readonly scopes: string | null;
  /** A token row of the short form, or key and counter of the counter form. */
  readonly refresh:
    | { readonly form: 'short'; readonly token: string }
    | { readonly form: 'counter'; readonly hmacKey: string };
};

/** Inserts a session with its method and first refresh token, and marks the user's sign-in: one statement. */
export async function insertSession(tx: Transaction, session: NewSession, now: string): Promise<void> {
  const hmacKey = session.refresh.form === 'counter' ? session.refresh.hmacKey : null;
  const counter = session.refresh.form === 'counter' ? 0 : null;
  const token: Sql =
    session.refresh.form === 'short'
      ? sql`, token as (
          insert into auth.refresh_tokens (
            instance_id, token, user_id, revoked, created_at, updated_at, session_id)
          values (
            '00000000-0000-0000-0000-000000000000', ${session.refresh.token}, ${session.userId}, false,
            ${now}, ${now}, (select id from made)))`
      : sql.empty;
  await tx.execute(sql`
    with made as (
      insert into auth.sessions (
        id, user_id, created_at, updated_at, factor_id, aal, not_after, user_agent, ip, tag, oauth_client_id, scopes,
        refresh_token_hmac_key, refresh_token_counter)
      values (
        ${session.id}, ${session.userId}, ${now}, ${now}, ${session.factorId}, 'aal1', ${session.notAfter},
        ${session.userAgent}, ${session.ip}, ${session.tag}, ${session.oauthClientId}, ${session.scopes},
        ${hmacKey}, ${counter})
      returning id
    ), method as (
      insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
      values (${session.amrId}, (select id from made), ${now}, ${now}, ${session.method})
    )${token}
    update auth.users set last_sign_in_at = ${now}, updated_at = ${now} where id = ${session.userId}`);
}

/** Notes that a session was authenticated by a method, now. */
export const addMethod = (
  tx: Transaction,
  id: string,
  sessionId: string,
  method: string,
  now: string,
): Promise<number> =>
  tx.execute(sql`
    insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
    values (${id}, ${sessionId}, ${now}, ${now}, ${method})
    on conflict on constraint mfa_amr_claims_session_id_authentication_method_pkey
    do update set updated_at = excluded.updated_at`);

/** Ends all sessions of a user. */
export const endSessions = (tx: Transaction, userId: string): Promise<number> =>
  tx.execute(sql`delete from auth.sessions where user_id = ${userId}`);

/** Ends one session. */
export const endSession = (tx: Transaction, sessionId: string): Promise<number> =>
  tx.execute(sql`delete from auth.sessions where id = ${sessionId}`);

/** Ends all sessions of a user but one. */
export const endOtherSessions = (tx: Transaction, userId: string, keep: string): Promise<number> =>
  tx.execute(sql`delete from auth.sessions where user_id = ${userId} and id <> ${keep}`);
