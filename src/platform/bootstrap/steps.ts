/** One file of `sql/bootstrap`, and when it runs. Every file may run again over its own work. */
export type BootstrapStep = {
  /** Name of the file without its ending; also the name under which a step that runs once is remembered. */
  readonly name: string;
  /** What a project misses where the server refuses this step. */
  readonly feature: string;
  /** Runs on a database's first bootstrap only, so that what its owner changes afterwards stays changed. */
  readonly once?: true;
  /** Skipped where the server has this extension: a project that wants it gets the real one. */
  readonly standsInFor?: string;
};

/** Raised when a file changes its meaning; kept in the database for support, the content hash decides. */
export const bootstrapVersion = 1;

/** The steps in order. */
export const bootstrapSteps: readonly BootstrapStep[] = [
  { name: '010_roles', feature: 'roles' },
  { name: '011_role_passwords', feature: 'role passwords' },
  { name: '012_role_memberships', feature: 'role memberships' },
  { name: '013_role_settings', feature: 'role settings', once: true },
  { name: '014_parameter_grants', feature: 'settings of roles' },
  { name: '020_database', feature: 'database grants' },
  { name: '021_schemas', feature: 'schemas' },
  { name: '022_default_privileges', feature: 'default privileges', once: true },
  { name: '023_auto_expose', feature: 'auto_expose_new_tables' },
  { name: '030_extensions', feature: 'extensions' },
  { name: '040_private', feature: 'private schema' },
  { name: '110_auth_types', feature: 'auth' },
  { name: '111_auth_accounts', feature: 'auth' },
  { name: '112_auth_oauth', feature: 'auth' },
  { name: '113_auth_sessions', feature: 'auth' },
  { name: '114_auth_sso', feature: 'auth' },
  { name: '115_auth_grants', feature: 'auth', once: true },
  { name: '116_auth_ledger', feature: 'auth' },
  { name: '120_storage_types', feature: 'storage' },
  { name: '122_storage_objects', feature: 'storage' },
  { name: '123_storage_listing', feature: 'storage' },
  { name: '124_storage_uploads', feature: 'storage' },
  { name: '125_storage_catalogs', feature: 'storage' },
  { name: '126_storage_migrations', feature: 'storage' },
  { name: '127_storage_ledger', feature: 'storage' },
  { name: '128_storage_grants', feature: 'storage', once: true },
  { name: '129_storage_service', feature: 'storage' },
  { name: '130_realtime_types', feature: 'realtime' },
  { name: '131_realtime_filters', feature: 'realtime' },
  { name: '132_realtime_messages', feature: 'realtime' },
  { name: '133_realtime_subscription', feature: 'realtime' },
  { name: '134_realtime_visibility', feature: 'realtime' },
  { name: '136_realtime_grants', feature: 'realtime', once: true },
  { name: '137_realtime_ledger', feature: 'realtime' },
  { name: '140_publications', feature: 'publications' },
  { name: '150_event_triggers', feature: 'event triggers' },
  { name: '160_graphql_placeholder', feature: 'graphql placeholder' },
  { name: '170_supabase_migrations', feature: 'migration history' },
  { name: '171_pgbouncer', feature: 'external pool authentication' },
  { name: '180_vault', feature: 'vault', standsInFor: 'supabase_vault' },
  { name: '181_net', feature: 'pg_net functions', standsInFor: 'pg_net' },
  { name: '182_webhooks', feature: 'database webhooks' },
  { name: '183_cron', feature: 'pg_cron functions', standsInFor: 'pg_cron' },
  { name: '184_pgmq', feature: 'pgmq functions', standsInFor: 'pgmq' },
  { name: '185_pgjwt', feature: 'pgjwt functions', standsInFor: 'pgjwt' },
  { name: '186_http', feature: 'http functions', standsInFor: 'http' },
  { name: '187_extension_grants', feature: 'grants in extensions' },
];
