import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { JsonObject, Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of `auth.custom_oauth_providers`: a provider that the project made itself. */
export type CustomProvider = {
  readonly id: string;
  readonly provider_type: 'oauth2' | 'oidc';
  readonly identifier: string;
  readonly name: string;
  readonly client_id: string;
  /** Sealed where columns are encrypted. */
  readonly client_secret: string;
  readonly acceptable_client_ids: readonly string[];
  readonly scopes: readonly string[];
  readonly pkce_enabled: boolean;
  readonly attribute_mapping: JsonObject;
  readonly custom_claims_allowlist: readonly string[];
  readonly authorization_params: JsonObject;
  readonly enabled: boolean;
  readonly email_optional: boolean;
  readonly issuer: string | null;
  readonly discovery_url: string | null;
  readonly skip_nonce_check: boolean;
  readonly cached_discovery: JsonObject | null;
  readonly authorization_url: string | null;
  readonly token_url: string | null;
  readonly userinfo_url: string | null;
  readonly jwks_uri: string | null;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
};

/** Columns of a provider that are written. */
export type CustomProviderColumns = Omit<CustomProvider, 'id' | 'created_at' | 'updated_at'>;

/** The provider of an identifier. */
export async function findCustomProvider(db: Queryable, identifier: string): Promise<CustomProvider | null> {
  const [row] = await db.query<CustomProvider>(sql`
    select * from auth.custom_oauth_providers where identifier = ${identifier}`);
  return row ?? null;
}

/** All providers, newest first, or those of one type, oldest first. */
export const listCustomProviders = (db: Queryable, type: string | null): Promise<CustomProvider[]> =>
  db.query<CustomProvider>(sql`
    select * from auth.custom_oauth_providers
    ${type === null ? sql`order by created_at desc, id` : sql`where provider_type = ${type} order by created_at, id`}`);

/** How many providers there are. */
export async function countCustomProviders(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`
    select count(*)::int as count from auth.custom_oauth_providers`);
  return row?.count ?? 0;
}

/** Makes a provider. */
export async function insertCustomProvider(
  db: Queryable,
  id: string,
  columns: CustomProviderColumns,
  now: string,
): Promise<CustomProvider> {
  const entries = Object.entries(columns);
  const [row] = await db.query<CustomProvider>(sql`
    insert into auth.custom_oauth_providers (
      id, created_at, updated_at, discovery_cached_at, ${sql.join(entries.map(([column]) => sql.ident(column)))})
    values (
      ${id}, ${now}, ${now}, ${columns.cached_discovery === null ? null : now},
      ${sql.join(entries.map(([, value]) => sql.value(value)))})
    returning *`);
  if (row === undefined) throw new TypeError('the provider was not stored');
  return row;
}

/** Changes a provider. */
export async function updateCustomProvider(
  db: Queryable,
  id: string,
  columns: Partial<CustomProviderColumns>,
  now: string,
): Promise<CustomProvider> {
  const sets = Object.entries(columns).map(
    ([column, value]) => sql`${sql.ident(column)} = ${sql.value(value)}`,
  );
  const cached = columns.cached_discovery === undefined ? [] : [sql`discovery_cached_at = ${now}`];
  const [row] = await db.query<CustomProvider>(sql`
    update auth.custom_oauth_providers set ${sql.join([...sets, ...cached, sql`updated_at = ${now}`])}
    where id = ${id} returning *`);
  if (row === undefined) throw new TypeError('the provider is gone');
  return row;
}

/** Removes a provider; its users stay. */
export const deleteCustomProvider = (db: Pick<Transaction, 'query'>, id: string): Promise<unknown> =>
  db.query(sql`delete from auth.custom_oauth_providers where id = ${id}`);
