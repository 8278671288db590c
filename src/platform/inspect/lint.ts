import type { AdminClient } from '../../pg/connect.ts';
import { sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';

/** What plpgsql_check says of one place, in its own JSON. */
export type LintIssue = { readonly level: string; readonly message: string };

/** A function with something wrong. */
export type LintedFunction = { readonly function: string; readonly issues: readonly LintIssue[] };

/** 1 for an error, 0 for any kind of warning (`warning`, `warning extra`), -1 for what is neither. */
export const severity = ({ level }: LintIssue): number =>
  level.startsWith('error') ? 1 : level.startsWith('warning') ? 0 : -1;

/**
 * Examines the PL/pgSQL functions of schemas, all of the project's by default. The extension is made for the check
 * in a transaction that is rolled back.
 * Upstream: supabase/cli apps/cli-go/internal/db/lint/lint.go
 */
export async function lintFunctions(
  client: AdminClient,
  schemas?: readonly string[],
): Promise<readonly LintedFunction[] | 'no_extension'> {
  const [available] = await client.query(
    sql`select from pg_available_extensions where name = 'plpgsql_check'`,
  );
  if (available === undefined) return 'no_extension';
  await client.exec('begin');
  try {
    await client.exec('create extension if not exists plpgsql_check');
    const chosen =
      schemas === undefined ? isProjectSchema(sql`n.nspname`) : sql`n.nspname = any(${schemas}::text[])`;
    const rows = await client.query<{ name: string; checked: string }>(sql`
      select n.nspname || '.' || p.proname as name, plpgsql_check_function(p.oid, format => 'json') as checked
      from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace
      join pg_language l on l.oid = p.prolang
      where l.lanname = 'plpgsql' and p.prorettype <> 'trigger'::regtype and ${chosen}
      order by 1`);
    return rows.map(({ name, checked }) => {
      const { issues }: { issues: readonly LintIssue[] } = JSON.parse(checked);
      return { function: name, issues };
    });
  } finally {
    await client.exec('rollback');
  }
}
