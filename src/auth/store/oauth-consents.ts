import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of `auth.oauth_consents`: what a user lets a client do. */
export type OAuthConsent = {
  readonly id: string;
  readonly user_id: string;
  readonly client_id: string;
  readonly scopes: string;
  readonly granted_at: Timestamp;
  readonly revoked_at: Timestamp | null;
};

/** What a user lets a client do, unless it was taken back. */
export async function findActiveConsent(
  db: Queryable,
  userId: string,
  clientId: string,
): Promise<OAuthConsent | null> {
  const [row] = await db.query<OAuthConsent>(sql`
    select * from auth.oauth_consents
    where user_id = ${userId} and client_id = ${clientId} and revoked_at is null`);
  return row ?? null;
}

/** A consent with what users are shown of its client. */
export type Grant = OAuthConsent & {
  readonly client_name: string | null;
  readonly client_uri: string | null;
  readonly logo_uri: string | null;
};

/** The consents of a user that hold, with clients that are there, newest first. */
export const listGrants = (db: Queryable, userId: string): Promise<Grant[]> =>
  db.query<Grant>(sql`
    select consent.*, client.client_name, client.client_uri, client.logo_uri
    from auth.oauth_consents consent join auth.oauth_clients client on client.id = consent.client_id
    where consent.user_id = ${userId} and consent.revoked_at is null and client.deleted_at is null
    order by consent.granted_at desc, consent.id`);

/** Records a consent in the place of whatever the user said before. */
export const upsertConsent = (tx: Transaction, consent: Omit<OAuthConsent, 'revoked_at'>): Promise<number> =>
  tx.execute(sql`
    insert into auth.oauth_consents (id, user_id, client_id, scopes, granted_at)
    values (${consent.id}, ${consent.user_id}, ${consent.client_id}, ${consent.scopes}, ${consent.granted_at})
    on conflict on constraint oauth_consents_user_client_unique
    do update set scopes = excluded.scopes, granted_at = excluded.granted_at, revoked_at = null`);

/** Takes a consent back. */
export const revokeConsent = (tx: Transaction, id: string, now: string): Promise<number> =>
  tx.execute(sql`update auth.oauth_consents set revoked_at = ${now} where id = ${id}`);

/** Ends the sessions that a client has with a user. */
export const endClientSessions = (tx: Transaction, userId: string, clientId: string): Promise<number> =>
  tx.execute(sql`delete from auth.sessions where user_id = ${userId} and oauth_client_id = ${clientId}`);
