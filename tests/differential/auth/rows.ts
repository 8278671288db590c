import type { AdminClient } from '../../../src/pg/connect.ts';

/** Tables that requests write to, and in which order their rows came. */
const tables = {
  users: 'created_at, email',
  identities: 'created_at, provider',
  sessions: 'created_at',
  refresh_tokens: 'id',
  mfa_amr_claims: 'created_at, authentication_method',
  mfa_factors: 'created_at',
  mfa_challenges: 'created_at',
  one_time_tokens: 'relates_to, token_type',
  flow_state: 'created_at',
  webauthn_credentials: 'created_at',
  webauthn_challenges: 'created_at',
  oauth_client_states: 'created_at',
  sso_providers: 'created_at',
  sso_domains: 'domain',
  saml_providers: 'created_at',
  saml_relay_states: 'created_at',
  custom_oauth_providers: 'created_at',
  oauth_clients: 'created_at',
  oauth_authorizations: 'created_at',
  oauth_consents: 'granted_at',
  audit_log_entries: "payload ->> 'action', created_at",
} as const;

/** A table's rows as JSON. */
export type TableRows = { readonly table: string; readonly rows: readonly unknown[] };

/** Removes the rows of an earlier scenario. */
export async function clearRows(database: AdminClient): Promise<void> {
  const names = Object.keys(tables).map((table) => `auth.${table}`);
  await database.exec(`truncate ${names.join(', ')} restart identity cascade`);
}

/** Every row that a scenario left behind. */
export async function readRows(database: AdminClient): Promise<readonly TableRows[]> {
  const all: TableRows[] = [];
  for (const [table, order] of Object.entries(tables)) {
    const text = `select to_json(t)::text as row from auth.${table} t order by ${order}`;
    const rows = await database.query<{ row: string }>({ text, values: [] });
    all.push({ table, rows: rows.map(({ row }) => JSON.parse(row)) });
  }
  return all;
}
