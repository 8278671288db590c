import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of `auth.flow_state`: a sign-in that was begun here and ends elsewhere. */
export type FlowState = {
  readonly id: string;
  readonly user_id: string | null;
  readonly auth_code: string | null;
  readonly code_challenge_method: 's256' | 'plain' | null;
  readonly code_challenge: string | null;
  readonly provider_type: string;
  readonly provider_access_token: string | null;
  readonly provider_refresh_token: string | null;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp | null;
  readonly authentication_method: string;
  readonly auth_code_issued_at: Timestamp | null;
  readonly invite_token: string | null;
  readonly referrer: string | null;
  readonly oauth_client_state_id: string | null;
  readonly linking_target_id: string | null;
  readonly email_optional: boolean;
};

/** Columns of a flow that begins; those left out are null. */
export type NewFlowState = Pick<FlowState, 'id' | 'provider_type' | 'authentication_method'> &
  Partial<Omit<FlowState, 'created_at' | 'updated_at'>>;

/** Records the beginning of a flow. */
export async function insertFlowState(tx: Transaction, flow: NewFlowState, now: string): Promise<void> {
  await tx.execute(sql`
    insert into auth.flow_state (
      id, user_id, auth_code, code_challenge_method, code_challenge, provider_type, authentication_method, invite_token,
      referrer, oauth_client_state_id, linking_target_id, email_optional, provider_access_token,
      provider_refresh_token, created_at, updated_at)
    values (
      ${flow.id}, ${flow.user_id ?? null}, ${flow.auth_code ?? null}, ${flow.code_challenge_method ?? null},
      ${flow.code_challenge ?? null}, ${flow.provider_type}, ${flow.authentication_method},
      ${flow.invite_token ?? null}, ${flow.referrer ?? null}, ${flow.oauth_client_state_id ?? null},
      ${flow.linking_target_id ?? null}, ${flow.email_optional ?? false}, '', '', ${now}, ${now})`);
}

/** Takes the flow of a code out of the table, so that two exchanges cannot both have it; null when there is none. */
export async function lockFlowByCode(tx: Transaction, authCode: string): Promise<FlowState | null> {
  const [flow] = await tx.query<FlowState>(sql`
    select * from auth.flow_state where auth_code = ${authCode} for update`);
  return flow ?? null;
}

/** The newest flow of a user with an authentication method. */
export async function findLatestFlow(
  db: Queryable,
  userId: string,
  method: string,
): Promise<FlowState | null> {
  const [flow] = await db.query<FlowState>(sql`
    select * from auth.flow_state where user_id = ${userId} and authentication_method = ${method}
    order by created_at desc, id desc limit 1`);
  return flow ?? null;
}

/** Notes that the code of a flow was handed out. */
export const markCodeIssued = (tx: Transaction, id: string, now: string): Promise<number> =>
  tx.execute(sql`
    update auth.flow_state set auth_code_issued_at = ${now}, updated_at = ${now} where id = ${id}`);

/** Ends a flow. */
export const deleteFlow = (tx: Transaction, id: string): Promise<number> =>
  tx.execute(sql`delete from auth.flow_state where id = ${id}`);

/** The flow of an id, without a lock. */
export async function findFlow(db: Queryable, id: string): Promise<FlowState | null> {
  const [flow] = await db.query<FlowState>(sql`select * from auth.flow_state where id = ${id}`);
  return flow ?? null;
}

/** The flow of an id, locked so that its callback counts once. */
export async function lockFlow(tx: Transaction, id: string): Promise<FlowState | null> {
  const [flow] = await tx.query<FlowState>(sql`select * from auth.flow_state where id = ${id} for update`);
  return flow ?? null;
}

/** Leaves user and provider tokens with a flow until its code is exchanged. */
export const parkTokens = (
  tx: Transaction,
  id: string,
  userId: string,
  tokens: { readonly accessToken: string; readonly refreshToken: string },
  now: string,
): Promise<number> =>
  tx.execute(sql`
    update auth.flow_state
    set user_id = ${userId}, provider_access_token = ${tokens.accessToken},
      provider_refresh_token = ${tokens.refreshToken}, auth_code_issued_at = ${now}, updated_at = ${now}
    where id = ${id}`);
