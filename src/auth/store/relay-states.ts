import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Timestamp } from './rows.ts';

/** A row of `auth.saml_relay_states`: a request that an identity provider was sent. */
export type RelayState = {
  readonly id: string;
  readonly sso_provider_id: string;
  readonly request_id: string;
  readonly redirect_to: string | null;
  readonly flow_state_id: string | null;
  readonly created_at: Timestamp;
};

/** Remembers a request. */
export const insertRelayState = (
  tx: Transaction,
  state: Omit<RelayState, 'created_at'>,
  now: string,
): Promise<number> =>
  tx.execute(sql`
    insert into auth.saml_relay_states (id, sso_provider_id, request_id, redirect_to, flow_state_id, created_at, updated_at)
    values (
      ${state.id}, ${state.sso_provider_id}, ${state.request_id}, ${state.redirect_to}, ${state.flow_state_id},
      ${now}, ${now})`);

/** Takes a request away, so that it is answered once; null when there is none. */
export async function takeRelayState(db: Pick<Transaction, 'query'>, id: string): Promise<RelayState | null> {
  const [row] = await db.query<RelayState>(sql`
    delete from auth.saml_relay_states where id = ${id}
    returning id, sso_provider_id, request_id, redirect_to, flow_state_id, created_at`);
  return row ?? null;
}
