import type { Config } from '../config/load.ts';
import type { InstanceKeys } from '../identity/instance-keys.ts';

/** Addresses of a running instance. */
export type Addresses = {
  readonly apiUrl: string;
  readonly dbUrl: string;
  /** Null when mail goes to a real server. */
  readonly inboxUrl: string | null;
};

/**
 * What `status` prints, by the names of the Supabase CLI; services that are not there have none.
 * Upstream: supabase/cli apps/cli-go/internal/status/status.go
 */
export function statusValues(config: Config, keys: InstanceKeys, at: Addresses): Record<string, string> {
  const inbox = at.inboxUrl === null ? {} : { MAILPIT_URL: at.inboxUrl, INBUCKET_URL: at.inboxUrl };
  const rest = config.api.enabled
    ? {
        REST_URL: `${at.apiUrl}/rest/v1`,
        GRAPHQL_URL: `${at.apiUrl}/graphql/v1`,
      }
    : {};
  const storage = config.storage.enabled
    ? {
        STORAGE_S3_URL: `${at.apiUrl}/storage/v1/s3`,
        ...s3KeyValues(keys),
        S3_PROTOCOL_REGION: keys.s3.region,
      }
    : {};
  return {
    API_URL: at.apiUrl,
    ...rest,
    FUNCTIONS_URL: `${at.apiUrl}/functions/v1`,
    DB_URL: at.dbUrl,
    ...inbox,
    ...keyValues(keys),
    ...storage,
  };
}

/** The API keys by the names of the Supabase CLI. */
export function keyValues(keys: InstanceKeys): Record<string, string> {
  return {
    PUBLISHABLE_KEY: keys.api.publishableKey,
    SECRET_KEY: keys.api.secretKey,
    JWT_SECRET: keys.jwtSecret,
    ANON_KEY: keys.api.anonToken,
    SERVICE_ROLE_KEY: keys.api.serviceToken,
  };
}

/** The access key of the S3 protocol by the names of the Supabase CLI. */
export function s3KeyValues({ s3 }: InstanceKeys): Record<string, string> {
  return {
    S3_PROTOCOL_ACCESS_KEY_ID: s3.accessKeyId,
    S3_PROTOCOL_ACCESS_KEY_SECRET: s3.secretAccessKey,
  };
}

/** Names that `--override-name` takes, and the value each renames. */
const overridable: Readonly<Record<string, string>> = {
  'api.url': 'API_URL',
  'api.rest_url': 'REST_URL',
  'api.graphql_url': 'GRAPHQL_URL',
  'api.storage_s3_url': 'STORAGE_S3_URL',
  'api.mcp_url': 'MCP_URL',
  'api.functions_url': 'FUNCTIONS_URL',
  'db.url': 'DB_URL',
  'studio.url': 'STUDIO_URL',
  'inbucket.url': 'INBUCKET_URL',
  'mailpit.url': 'MAILPIT_URL',
  'auth.publishable_key': 'PUBLISHABLE_KEY',
  'auth.secret_key': 'SECRET_KEY',
  'auth.jwt_secret': 'JWT_SECRET',
  'auth.anon_key': 'ANON_KEY',
  'auth.service_role_key': 'SERVICE_ROLE_KEY',
  'storage.s3_access_key_id': 'S3_PROTOCOL_ACCESS_KEY_ID',
  'storage.s3_secret_access_key': 'S3_PROTOCOL_ACCESS_KEY_SECRET',
  'storage.s3_region': 'S3_PROTOCOL_REGION',
};

/** Renames values by `key=NAME` pairs. Throws `RangeError` for an unknown key. */
export function overrideNames(
  values: Readonly<Record<string, string>>,
  overrides: readonly string[],
): Record<string, string> {
  const names = new Map<string, string>();
  for (const override of overrides) {
    const [key = '', name = ''] = override.split('=', 2);
    const original = overridable[key];
    if (original === undefined || name === '') {
      throw new RangeError(
        `--override-name takes key=NAME, where the key is one of ${Object.keys(overridable).join(', ')}; got ${override}`,
      );
    }
    names.set(original, name);
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [names.get(name) ?? name, value]));
}
