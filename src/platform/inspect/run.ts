import type { AdminClient } from '../../pg/connect.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Report } from './report.ts';

/** Why a report could not be made. */
export type NoReport = { readonly kind: 'no_statements' };

/** Rows of a report, by the names of its columns. Rejects with `PgFailure`. */
export async function runReport(
  client: AdminClient,
  report: Report,
): Promise<readonly Readonly<Record<string, unknown>>[] | NoReport> {
  const statements = await statementsSchema(client);
  if (report.needsStatements === true && statements === undefined) return { kind: 'no_statements' };
  return client.query(report.statement({ statements: statements ?? '' }));
}

/** Schema of pg_stat_statements where it is made and its library is loaded. */
async function statementsSchema(client: AdminClient): Promise<string | undefined> {
  const [row] = await client.query<{ schema: string }>(sql`
    select n.nspname::text as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pg_stat_statements' and current_setting('shared_preload_libraries') ~ 'pg_stat_statements'`);
  return row?.schema;
}
