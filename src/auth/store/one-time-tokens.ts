import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { User } from './rows.ts';
import { type Queryable, userColumns } from './users.ts';

/** What a one-time token is for; a user has at most one of each. */
export type TokenType =
  | 'confirmation_token'
  | 'reauthentication_token'
  | 'recovery_token'
  | 'email_change_token_new'
  | 'email_change_token_current'
  | 'phone_change_token';

/** Stores the hash of a token, in place of the user's previous one of that type. */
export const replaceToken = (
  tx: Transaction,
  id: string,
  userId: string,
  type: TokenType,
  hash: string,
  relatesTo: string,
  now: string,
): Promise<number> =>
  tx.execute(sql`
    insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
    values (${id}, ${userId}, ${type}, ${hash}, ${relatesTo.toLowerCase()}, ${now}, ${now})
    on conflict (user_id, token_type) do update
    set id = excluded.id, token_hash = excluded.token_hash, relates_to = excluded.relates_to,
      created_at = excluded.created_at, updated_at = excluded.updated_at`);

/** Forgets every token of a user. */
export const clearTokens = (tx: Transaction, userId: string): Promise<number> =>
  tx.execute(sql`delete from auth.one_time_tokens where user_id = ${userId}`);

/** Forgets a user's token of one type. */
export const clearToken = (tx: Transaction, userId: string, type: TokenType): Promise<number> =>
  tx.execute(sql`delete from auth.one_time_tokens where user_id = ${userId} and token_type = ${type}`);

/**
 * The user that a token belongs to, locked for the rest of the transaction so that a token is used once;
 * null when no token of these types has the hash.
 */
export async function lockUserByToken(
  tx: Transaction,
  hashes: readonly string[],
  types: readonly TokenType[],
): Promise<User | null> {
  const [owner] = await tx.query<{ user_id: string }>(sql`
    select user_id from auth.one_time_tokens
    where token_hash = any (${hashes}::text[]) and token_type = any (${types}::auth.one_time_token_type[])
    for update`);
  return owner === undefined ? null : lockUser(tx, owner.user_id);
}

/** A user, locked for the rest of the transaction. */
export async function lockUser(tx: Queryable, userId: string): Promise<User | null> {
  const [user] = await tx.query<User>(sql`
    select ${userColumns} from auth.users u where u.id = ${userId} for update of u`);
  return user ?? null;
}
