import { type Sql, sql } from '../../pg/sql/sql.ts';

/**
 * Schemas that are not a project's own: the platform's and those of extensions.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/dump.go (InternalSchemas)
 */
const managedSchemas: readonly string[] = [
  'information_schema',
  '_analytics',
  '_realtime',
  '_supavisor',
  'auth',
  'etl',
  'extensions',
  'ownbase',
  'pgbouncer',
  'realtime',
  'storage',
  'supabase_functions',
  'supabase_migrations',
  'cron',
  'dbdev',
  'graphql',
  'graphql_public',
  'net',
  'pgmq',
  'pgsodium',
  'pgsodium_masks',
  'pgtle',
  'repack',
  'tiger',
  'tiger_data',
  'topology',
  'vault',
];

/** Whether a schema, given as a piece of SQL, is a project's own. */
export const isProjectSchema = (schema: Sql): Sql =>
  sql`(${schema} <> all(${managedSchemas}::text[]) and ${schema} !~ '^(pg_|_?timescaledb_)')`;
