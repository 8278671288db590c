import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Identity, JsonObject, User } from './rows.ts';
import { mergeMetadata, type Queryable } from './users.ts';

/** Mail addresses inside identity data are stored in lower case. */
function normalized(data: JsonObject): JsonObject {
  return typeof data.email === 'string' ? { ...data, email: data.email.toLowerCase() } : data;
}

/** The account of a user at a provider. */
export async function findIdentity(
  db: Queryable,
  providerId: string,
  provider: string,
): Promise<Identity | null> {
  const [identity] = await db.query<Identity>(sql`
    select * from auth.identities where provider_id = ${providerId} and provider = ${provider}`);
  return identity ?? null;
}

/** Adds an identity; its provider id is the `sub` of its data. */
export async function insertIdentity(
  tx: Transaction,
  user: User,
  provider: string,
  data: JsonObject,
  now: string,
): Promise<Identity> {
  const [identity] = await tx.query<Identity>(sql`
    insert into auth.identities (
      provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    values (
      ${String(data.sub)}, ${user.id}, ${sql.value(normalized(data))}, ${provider}, ${now}, ${now}, ${now})
    returning *`);
  if (identity === undefined) throw new TypeError('the identity was not stored');
  return identity;
}

/** Lays updates over the data of an identity; a null removes its key. */
export async function updateIdentityData(
  tx: Transaction,
  identity: Identity,
  updates: JsonObject,
  now: string,
): Promise<Identity> {
  const data = normalized(mergeMetadata(identity.identity_data, updates));
  const [row] = await tx.query<Identity>(sql`
    update auth.identities set identity_data = ${sql.value(data)}, updated_at = ${now}
    where id = ${identity.id} returning *`);
  if (row === undefined) throw new TypeError('the identity is gone');
  return row;
}

/** Replaces the data of an identity that has just signed in. */
export async function touchIdentity(
  tx: Transaction,
  identity: Identity,
  data: JsonObject,
  now: string,
): Promise<Identity> {
  const [row] = await tx.query<Identity>(sql`
    update auth.identities
    set identity_data = ${sql.value(normalized(data))}, last_sign_in_at = ${now}, updated_at = ${now}
    where id = ${identity.id} returning *`);
  if (row === undefined) throw new TypeError('the identity is gone');
  return row;
}

/** Removes one identity. */
export const deleteIdentity = (tx: Transaction, id: string): Promise<number> =>
  tx.execute(sql`delete from auth.identities where id = ${id}`);

/** Removes all identities of a user but one. */
export const deleteOtherIdentities = (tx: Transaction, userId: string, keep: string): Promise<number> =>
  tx.execute(sql`delete from auth.identities where user_id = ${userId} and id <> ${keep}`);

/** The names of a user's providers, oldest identity first. */
export async function providersOf(tx: Transaction, userId: string): Promise<readonly string[]> {
  const rows = await tx.query<{ provider: string }>(sql`
    select provider from auth.identities where user_id = ${userId} group by provider order by min(created_at), provider`);
  return rows.map((row) => row.provider);
}
