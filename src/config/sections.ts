import { apiOptions } from './options/api.ts';
import { authOptions } from './options/auth.ts';
import { clusterOptions } from './options/cluster.ts';
import { databaseOptions } from './options/database.ts';
import { gatewayOptions } from './options/gateway.ts';
import { inboxOptions } from './options/inbox.ts';
import { keyOptions } from './options/keys.ts';
import { realtimeOptions } from './options/realtime.ts';
import { storageOptions } from './options/storage.ts';

/** Every option of the product, by section. Flags, environment names, config.toml, help and docs come from here. */
export const sections = {
  gateway: gatewayOptions,
  api: apiOptions,
  db: databaseOptions,
  keys: keyOptions,
  auth: authOptions,
  storage: storageOptions,
  realtime: realtimeOptions,
  cluster: clusterOptions,
  inbox: inboxOptions,
};

/** The option tables by section name. */
export type Sections = typeof sections;

/** Parts of a Supabase CLI file that are accepted and have no effect here. */
export const tolerated: readonly string[] = [
  'project_id',
  'api.tls',
  'db.major_version',
  'db.migrations.schema_paths',
  'db.pooler',
  'db.shadow_port',
  'db.health_timeout',
  'db.network_restrictions',
  'db.ssl_enforcement',
  'db.root_key',
  'studio',
  'analytics',
  'edge_runtime',
  'functions',
  'experimental',
  'remotes',
  'inbucket.pop3_port',
  'local_smtp',
  'realtime.ip_version',
  'realtime.max_header_length',
  'realtime.tenant_id',
  'realtime.encryption_key',
  'realtime.secret_key_base',
  'storage.analytics',
  'storage.vector',
];
