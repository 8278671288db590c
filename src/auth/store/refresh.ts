import type { Transaction } from '../../pg/session.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { AuditRow } from './audit.ts';
import type { RefreshToken, Session, User } from './rows.ts';
import { sessionColumns } from './sessions.ts';
import { type Queryable, userColumns } from './users.ts';

/** Everything that the fate of a refresh token depends on, read in one round trip. */
export type RefreshState = {
  readonly user: User;
  readonly session: Session | null;
  /** The token's own row; null for the counter form. */
  readonly token: RefreshToken | null;
  /** The newest token of the session that is not revoked. */
  readonly live: RefreshToken | null;
};

const userJson = sql`(select to_json(x) from (select ${userColumns}) x)`;
const sessionJson = sql`(select to_json(x) from (select ${sessionColumns}) x)`;

/** The column is text, and only a cast of it finds its user by the key; text that is no UUID is nobody's. */
const ownerOf = (userId: Sql): Sql =>
  sql`case when ${userId} ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' then ${userId}::uuid end`;

/** Reads the state of a token of the short form; null when there is no such token, or no user to it. */
export async function readShortState(db: Queryable, token: string): Promise<RefreshState | null> {
  const [state] = await db.query<RefreshState>(sql`
    select ${userJson} as user, case when s.id is not null then ${sessionJson} end as session, to_json(t) as token,
      (select to_json(l) from auth.refresh_tokens l
        where l.session_id = t.session_id and l.revoked is false order by l.id desc limit 1) as live
    from auth.refresh_tokens t
    join auth.users u on u.id = ${ownerOf(sql`t.user_id`)}
    left join auth.sessions s on s.id = t.session_id
    where t.token = ${token}`);
  return state ?? null;
}

/** Reads the state of a session for a token of the counter form; null when the session is gone. */
export async function readCounterState(db: Queryable, sessionId: string): Promise<RefreshState | null> {
  const [state] = await db.query<RefreshState>(sql`
    select ${userJson} as user, ${sessionJson} as session, null as token, null as live
    from auth.sessions s join auth.users u on u.id = s.user_id
    where s.id = ${sessionId}`);
  return state ?? null;
}

/** A refresh that was decided on: whose it is, and what is recorded of it. */
export type RefreshUse = {
  readonly sessionId: string;
  readonly userId: string;
  readonly now: string;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly audits: readonly AuditRow[];
};

/** Key and counter that move a session from short tokens to the counter form. */
export type CounterUpgrade = { readonly hmacKey: string; readonly counter: bigint };

const used = (use: RefreshUse): Sql => sql`
  refreshed_at = ${use.now}, user_agent = ${use.userAgent}, ip = ${use.ip}`;

/** A step that writes the audit rows when the step `taken` took effect. */
const audited = (use: RefreshUse): Sql =>
  use.audits.length === 0
    ? sql.empty
    : sql`, audited as (
        insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
        select '00000000-0000-0000-0000-000000000000', (a ->> 'id')::uuid, (a -> 'payload')::json, ${use.now}, ''
        from taken, jsonb_array_elements(${JSON.stringify(use.audits)}::jsonb) a)`;

/**
 * Swaps a token for its child in one statement, which takes effect only if the token is still as it was read: of two
 * refreshes at once one wins, and the other looks again. Yields whether it took effect. A token that was revoked
 * before keeps its time, so that reuse does not prolong the window for reuse.
 */
export async function swapToken(
  db: Queryable,
  token: RefreshToken,
  child: string,
  use: RefreshUse,
  upgrade: CounterUpgrade | null,
): Promise<boolean> {
  const upgraded: Sql =
    upgrade === null
      ? sql.empty
      : sql`, refresh_token_hmac_key = ${upgrade.hmacKey}, refresh_token_counter = ${upgrade.counter}`;
  const rows = await db.query(sql`
    with taken as (
      update auth.refresh_tokens
      set revoked = true, updated_at = case when revoked then updated_at else ${use.now}::timestamptz end
      where id = ${token.id} and revoked is not distinct from ${token.revoked}
        and exists (select from auth.sessions where id = ${use.sessionId})
      returning id
    ), child as (
      insert into auth.refresh_tokens (
        instance_id, token, user_id, revoked, parent, created_at, updated_at, session_id)
      select '00000000-0000-0000-0000-000000000000', ${child}, ${use.userId}, ${upgrade !== null}::boolean,
        ${token.token}, ${use.now}::timestamptz, ${use.now}::timestamptz, ${use.sessionId}::uuid
      from taken
    ), session as (
      update auth.sessions set ${used(use)}${upgraded} where id = ${use.sessionId} and exists (select from taken)
    ), moved as (
      update auth.users set updated_at = ${use.now} where id = ${use.userId} and exists (select from taken)
    )${audited(use)}
    select id from taken`);
  return rows.length === 1;
}

/** Notes a refresh that was answered with the live token again; false when that token is no longer live. */
export async function reuseLiveToken(db: Queryable, live: RefreshToken, use: RefreshUse): Promise<boolean> {
  const rows = await db.query(sql`
    with taken as (
      update auth.sessions set ${used(use)}
      where id = ${use.sessionId}
        and exists (select from auth.refresh_tokens where id = ${live.id} and revoked is false)
      returning id
    )${audited(use)}
    select id from taken`);
  return rows.length === 1;
}

/** A step of a session's counter, or none; a key that is not null takes the place of the stored one. */
export type CounterMove = { readonly from: bigint; readonly to: bigint; readonly hmacKey: string | null };

/** Moves the counter of a session from one value to another, or lets it stand; false when it is no longer there. */
export async function moveCounter(
  db: Queryable,
  { from, to, hmacKey }: CounterMove,
  use: RefreshUse,
): Promise<boolean> {
  const renewed = hmacKey === null ? sql.empty : sql`refresh_token_hmac_key = ${hmacKey}, `;
  const rows = await db.query(sql`
    with taken as (
      update auth.sessions set refresh_token_counter = ${to}, ${renewed}${used(use)}
      where id = ${use.sessionId} and refresh_token_counter = ${from}
      returning id
    )${audited(use)}
    select id from taken`);
  return rows.length === 1;
}

/** Revokes every live token of a session. */
export const revokeFamily = (db: Queryable, sessionId: string, now: string): Promise<unknown> =>
  db.query(sql`
    update auth.refresh_tokens set revoked = true, updated_at = ${now}
    where session_id = ${sessionId} and revoked is false`);

/** Deletes a token that belongs to no session. */
export const deleteToken = (db: Queryable, id: string): Promise<unknown> =>
  db.query(sql`delete from auth.refresh_tokens where id = ${id}`);

/** Ends a session whose token was stolen. */
export const deleteSession = (db: Queryable, id: string): Promise<unknown> =>
  db.query(sql`delete from auth.sessions where id = ${id}`);

/**
 * Puts a token in the place of all others of a session that rises in assurance. Upstream keeps the old ones as parents,
 * and a parent of the live token is given the live one: a token of one factor would lead to two.
 */
export async function replaceTokens(
  tx: Transaction,
  sessionId: string,
  userId: string,
  token: string,
  now: string,
): Promise<void> {
  await tx.execute(sql`delete from auth.refresh_tokens where session_id = ${sessionId}`);
  await tx.execute(sql`
    insert into auth.refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id)
    values ('00000000-0000-0000-0000-000000000000', ${token}, ${userId}, false, ${now}, ${now}, ${sessionId})`);
}
