import type { AdminClient } from '../../pg/connect.ts';
import { sql } from '../../pg/sql/sql.ts';

/**
 * Writes the secrets of `[db.vault]`, each under its name.
 * Upstream: supabase/cli apps/cli-go/pkg/vault/batch.go
 */
export async function upsertVaultSecrets(
  client: AdminClient,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const names = Object.keys(secrets);
  if (names.length === 0) return;
  const known = await client.query<{ id: string; name: string }>(
    sql`select id::text, name from vault.secrets where name = any(${names}::text[])`,
  );
  for (const [name, value] of Object.entries(secrets)) {
    const id = known.find((secret) => secret.name === name)?.id;
    await client.query(
      id === undefined
        ? sql`select vault.create_secret(${value}, ${name})`
        : sql`select vault.update_secret(${id}::uuid, ${value})`,
    );
  }
}
