import type { Sql } from '../../pg/sql/sql.ts';

/** A report about a running database. Upstream: supabase/cli apps/cli-go/internal/inspect */
export type Report = {
  /** Header of each column, in order, by the name that the statement gives it. */
  readonly columns: Readonly<Record<string, string>>;
  /** The statement; `statements` is the schema of pg_stat_statements, for reports that read it. */
  readonly statement: (place: { readonly statements: string }) => Sql;
  /** Whether the extension pg_stat_statements must be there. */
  readonly needsStatements?: boolean;
};
