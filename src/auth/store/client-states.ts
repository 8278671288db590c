import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Timestamp } from './rows.ts';

/** What a provider that demands PKCE has to be told at the end. */
export type ClientState = {
  readonly id: string;
  readonly provider_type: string;
  readonly code_verifier: string | null;
  readonly created_at: Timestamp;
};

/** Keeps a verifier until the callback. */
export const insertClientState = (
  tx: Transaction,
  id: string,
  provider: string,
  verifier: string,
  now: string,
): Promise<number> =>
  tx.execute(sql`
    insert into auth.oauth_client_states (id, provider_type, code_verifier, created_at)
    values (${id}, ${provider}, ${verifier}, ${now})`);

/** Takes a verifier away, so that it is used once; null when there is none. */
export async function takeClientState(
  db: Pick<Transaction, 'query'>,
  id: string,
): Promise<ClientState | null> {
  const [row] = await db.query<ClientState>(sql`
    delete from auth.oauth_client_states where id = ${id} returning id, provider_type, code_verifier, created_at`);
  return row ?? null;
}
