import { sql } from '../../pg/sql/sql.ts';
import type { Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of `auth.oauth_clients`; lists are joined by commas. */
export type OAuthClient = {
  readonly id: string;
  readonly client_secret_hash: string | null;
  readonly registration_type: 'dynamic' | 'manual';
  readonly redirect_uris: string;
  readonly grant_types: string;
  readonly client_name: string | null;
  readonly client_uri: string | null;
  readonly logo_uri: string | null;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
  readonly client_type: 'public' | 'confidential';
  readonly token_endpoint_auth_method: string;
};

/** Columns of a client that is to be registered. */
export type NewOAuthClient = Omit<OAuthClient, 'created_at' | 'updated_at'>;

/** Registers a client. */
export async function insertClient(db: Queryable, client: NewOAuthClient, now: string): Promise<OAuthClient> {
  const [row] = await db.query<OAuthClient>(sql`
    insert into auth.oauth_clients (
      id, client_secret_hash, registration_type, redirect_uris, grant_types, client_name, client_uri, logo_uri,
      client_type, token_endpoint_auth_method, created_at, updated_at)
    values (
      ${client.id}, ${client.client_secret_hash}, ${client.registration_type}, ${client.redirect_uris},
      ${client.grant_types}, ${client.client_name}, ${client.client_uri}, ${client.logo_uri}, ${client.client_type},
      ${client.token_endpoint_auth_method}, ${now}, ${now})
    returning *`);
  if (row === undefined) throw new TypeError('the client was not stored');
  return row;
}

/** A client that was not deleted. */
export async function findClient(db: Queryable, id: string): Promise<OAuthClient | null> {
  const [row] = await db.query<OAuthClient>(sql`
    select * from auth.oauth_clients where id = ${id} and deleted_at is null`);
  return row ?? null;
}

/** All clients that were not deleted, newest first. */
export const listClients = (db: Queryable): Promise<OAuthClient[]> =>
  db.query<OAuthClient>(sql`
    select * from auth.oauth_clients where deleted_at is null order by created_at desc, id`);

/** Sets columns of a client. */
export async function updateClient(
  db: Queryable,
  id: string,
  patch: Partial<NewOAuthClient> & { readonly deleted_at?: string },
  now: string,
): Promise<OAuthClient> {
  const sets = Object.entries(patch).map(([column, value]) => sql`${sql.ident(column)} = ${value}`);
  const [row] = await db.query<OAuthClient>(sql`
    update auth.oauth_clients set ${sql.join([...sets, sql`updated_at = ${now}`])} where id = ${id} returning *`);
  if (row === undefined) throw new TypeError('the client is gone');
  return row;
}
