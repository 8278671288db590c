import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of `auth.oauth_authorizations`: a client's request to act for a user. */
export type OAuthAuthorization = {
  readonly id: string;
  readonly authorization_id: string;
  readonly client_id: string;
  readonly user_id: string | null;
  readonly redirect_uri: string;
  readonly scope: string;
  readonly state: string | null;
  readonly resource: string | null;
  readonly code_challenge: string | null;
  readonly code_challenge_method: 's256' | 'plain' | null;
  readonly nonce: string | null;
  readonly status: 'pending' | 'approved' | 'denied' | 'expired';
  readonly authorization_code: string | null;
  readonly created_at: Timestamp;
  readonly expires_at: Timestamp;
  readonly approved_at: Timestamp | null;
};

/** Columns of a request that begins. */
export type NewOAuthAuthorization = Omit<
  OAuthAuthorization,
  'user_id' | 'status' | 'authorization_code' | 'approved_at'
>;

/** Records a request that nobody has answered yet. */
export async function insertAuthorization(db: Queryable, request: NewOAuthAuthorization): Promise<void> {
  await db.query(sql`
    insert into auth.oauth_authorizations (
      id, authorization_id, client_id, redirect_uri, scope, state, resource, code_challenge, code_challenge_method,
      nonce, response_type, status, created_at, expires_at)
    values (
      ${request.id}, ${request.authorization_id}, ${request.client_id}, ${request.redirect_uri}, ${request.scope},
      ${request.state}, ${request.resource}, ${request.code_challenge}, ${request.code_challenge_method},
      ${request.nonce}, 'code', 'pending', ${request.created_at}, ${request.expires_at})`);
}

/** A request, locked; null when there is none or somebody else is answering it right now. */
export async function lockAuthorization(
  tx: Transaction,
  authorizationId: string,
): Promise<OAuthAuthorization | null> {
  const [row] = await tx.query<OAuthAuthorization>(sql`
    select * from auth.oauth_authorizations where authorization_id = ${authorizationId} for update skip locked`);
  return row ?? null;
}

/** An approved request by its code, locked so that the code works once. */
export async function lockAuthorizationByCode(
  tx: Transaction,
  code: string,
): Promise<OAuthAuthorization | null> {
  const [row] = await tx.query<OAuthAuthorization>(sql`
    select * from auth.oauth_authorizations
    where authorization_code = ${code} and status = 'approved' for update skip locked`);
  return row ?? null;
}

/** What may change about a request. */
type AuthorizationPatch = Partial<
  Pick<OAuthAuthorization, 'user_id' | 'status' | 'approved_at' | 'authorization_code'>
>;

/** Sets columns of a request and yields it as it is then. */
export async function updateAuthorization(
  tx: Transaction,
  request: OAuthAuthorization,
  patch: AuthorizationPatch,
): Promise<OAuthAuthorization> {
  const sets = Object.entries(patch).map(([column, value]) => sql`${sql.ident(column)} = ${value}`);
  await tx.execute(sql`update auth.oauth_authorizations set ${sql.join(sets)} where id = ${request.id}`);
  return { ...request, ...patch };
}

/** Ends a request whose code was spent. */
export const deleteAuthorization = (tx: Transaction, id: string): Promise<number> =>
  tx.execute(sql`delete from auth.oauth_authorizations where id = ${id}`);
