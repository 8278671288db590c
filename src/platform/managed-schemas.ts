import { type Sql, sql } from '../pg/sql/sql.ts';

/**
 * Schemas that are not a project's own: the platform's and those of extensions.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/dump.go (InternalSchemas)
 */
export const managedSchemas: readonly string[] = [
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

/** Those whose rows are a project's data all the same: users, stored objects, queues. */
const withData: readonly string[] = ['auth', 'storage', 'supabase_functions', 'dbdev', 'pgmq'];

/**
 * Schemas whose data a dump leaves out. The tables of pg_cron and pg_net may be written through their functions only.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/dump.go (excludedSchemas)
 */
export const schemasWithoutData: readonly string[] = managedSchemas.filter(
  (name) => !withData.includes(name),
);

/** Tables of those schemas that say what the platform made, and are none of the project's data. */
export const tablesWithoutData: readonly string[] = [
  'auth.schema_migrations',
  'storage.migrations',
  // Older projects kept the folders of names apart; now they are read from the names.
  'storage.prefixes',
  'supabase_functions.migrations',
];

/** Columns of older projects that can be told from others, and have no place any more. */
export const columnsWithoutData: readonly string[] = ['storage.objects.level'];

/** Whether a schema, given as a piece of SQL, is a project's own. */
export const isProjectSchema = (schema: Sql): Sql =>
  sql`(${schema} <> all(${managedSchemas}::text[]) and ${schema} !~ '^(pg_|_?timescaledb_)')`;
