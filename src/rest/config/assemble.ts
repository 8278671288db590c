import { err, ok, type Result } from '../../core/result.ts';
import type { JwtConfig, RestConfig, RestServerConfig } from './model.ts';
import { parseProxyUri } from './proxy-uri.ts';
import type { RawValues } from './raw-values.ts';
import {
  createOptionReader,
  emptyableList,
  logLevels,
  type OptionReader,
  openApiModes,
  transactionEnds,
} from './read.ts';

/** What `alter role ... set` gives to the roles that requests may take. */
export type RoleConfig = Pick<RestConfig, 'roleSettings' | 'roleIsolation'>;

/** What a configuration is made of. */
export type ConfigParts = {
  readonly values: RawValues;
  /** `app.settings.*` by full name. */
  readonly appSettings: ReadonlyMap<string, string>;
  readonly roles: RoleConfig;
  /** What the file holds that `jwt-secret` names, if it names one. */
  readonly secretFile: Buffer | null;
};

const defaultHoistedSettings = [
  'statement_timeout',
  'plan_filter.statement_cost_limit',
  'default_transaction_isolation',
];

/** Makes the configuration, or lists all that is wrong with it. */
export function assembleConfig(parts: ConfigParts): Result<RestServerConfig, readonly string[]> {
  const read = createOptionReader(parts.values);
  const config: RestServerConfig = {
    rest: readRest(read, parts),
    database: readDatabase(read),
    server: readServer(read),
    admin: readAdmin(read),
    log: {
      level: read.choice('log-level', logLevels, 'error', 'Invalid logging level. Check your configuration.'),
      query: read.boolean('log-query', false),
    },
  };
  return read.problems.length === 0 ? ok(config) : err(read.problems);
}

function readRest(read: OptionReader, { appSettings, roles, secretFile }: ConfigParts): RestConfig {
  const [firstSchema = 'public', ...otherSchemas] = read.list('db-schemas', ['public'], 'db-schema');
  return {
    schemas: [firstSchema, ...otherSchemas],
    extraSearchPath: emptyableList(read.emptyableText('db-extra-search-path'), ['public']),
    anonRole: read.text('db-anon-role'),
    maxRows: read.integer('db-max-rows', 'max-rows'),
    aggregatesEnabled: read.boolean('db-aggregates-enabled', false),
    planEnabled: read.boolean('db-plan-enabled', false),
    preRequest: read.qualifiedName('db-pre-request', 'pre-request'),
    rootSpec: read.qualifiedName('db-root-spec', 'root-spec'),
    transactionEnd: read.choice(
      'db-tx-end',
      transactionEnds,
      { rollback: false, allowOverride: false },
      'Invalid transaction termination. Check your configuration.',
    ),
    openApiMode: read.choice(
      'openapi-mode',
      openApiModes,
      'follow-privileges',
      'Invalid openapi-mode. Check your configuration.',
    ),
    openApiSecurityActive: read.boolean('openapi-security-active', false),
    openApiServerProxyUri: readProxyUri(read),
    serverHost: read.text('server-host') ?? '!4',
    serverPort: read.integer('server-port') ?? 3000,
    hoistedSettings: read.list('db-hoisted-tx-settings', defaultHoistedSettings),
    preparedStatements: read.boolean('db-prepared-statements', true),
    corsAllowedOrigins: readOrigins(read),
    traceHeader: read.text('server-trace-header'),
    serverTimingEnabled: read.boolean('server-timing-enabled', false),
    jwt: readJwt(read, secretFile),
    appSettings: [...appSettings],
    ...roles,
  };
}

function readProxyUri(read: OptionReader): string | null {
  const uri = read.text('openapi-server-proxy-uri');
  if (uri !== null && parseProxyUri(uri) === null)
    read.complain('Malformed proxy uri, a correct example: https://example.com:8443/basePath');
  return uri;
}

function readOrigins(read: OptionReader): readonly string[] | null {
  const origins = read.list('server-cors-allowed-origins', []);
  return origins.length === 0 ? null : origins;
}

function readJwt(read: OptionReader, secretFile: Buffer | null): JwtConfig {
  const audience = read.text('jwt-aud');
  const isSecretBase64 = read.boolean('jwt-secret-is-base64', false, 'secret-is-base64');
  if (audience?.includes(':') && !URL.canParse(audience))
    read.complain('jwt-aud should be a string or a valid URI');
  return {
    secret: readSecret(read, secretFile, isSecretBase64),
    isSecretBase64,
    audience,
    roleClaimPath: read.roleClaimPath(),
    cacheMaxEntries: read.integer('jwt-cache-max-entries') ?? 1000,
  };
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function readSecret(read: OptionReader, file: Buffer | null, isBase64: boolean): Buffer | null {
  const text = read.text('jwt-secret');
  const secret = file ?? (text === null ? null : Buffer.from(text));
  return secret !== null && isBase64 ? decodeSecret(read, secret.toString()) : secret;
}

function decodeSecret(read: OptionReader, secret: string): Buffer {
  // The URL alphabet is understood too, with a dot for the padding.
  const standard = secret.replaceAll('_', '/').replaceAll('-', '+').replaceAll('.', '=').trim();
  if (!base64.test(standard)) read.complain('jwt-secret is not valid base64');
  return Buffer.from(standard, 'base64');
}

function readDatabase(read: OptionReader): RestServerConfig['database'] {
  return {
    uri: read.text('db-uri') ?? 'postgresql://',
    poolSize: read.integer('db-pool') ?? 10,
    acquisitionTimeoutSeconds: read.integer('db-pool-acquisition-timeout') ?? 10,
    maxLifetimeSeconds: read.integer('db-pool-max-lifetime') ?? 1800,
    maxIdleSeconds: read.integer('db-pool-timeout', 'db-pool-max-idletime') ?? 30,
    automaticRecovery: read.boolean('db-pool-automatic-recovery', true),
    channel: read.text('db-channel') ?? 'pgrst',
    channelEnabled: read.boolean('db-channel-enabled', true),
    inDatabaseConfig: read.boolean('db-config', true),
    preConfig: read.qualifiedName('db-pre-config'),
  };
}

// Read and write for owner and group; the range that upstream takes keeps the owner's own rights.
const defaultSocketMode = 0o660;
const minSocketMode = 0o600;
const maxSocketMode = 0o777;

function readServer(read: OptionReader): RestServerConfig['server'] {
  const mode = read.text('server-unix-socket-mode');
  const unixSocketMode = mode === null ? defaultSocketMode : Number.parseInt(mode, 8);
  if (mode !== null && !/^[0-7]/.test(mode)) read.complain('Invalid server-unix-socket-mode: not an octal');
  else if (unixSocketMode < minSocketMode || unixSocketMode > maxSocketMode)
    read.complain('Invalid server-unix-socket-mode: needs to be between 600 and 777');
  return {
    host: read.text('server-host') ?? '!4',
    port: read.integer('server-port') ?? 3000,
    unixSocket: read.text('server-unix-socket'),
    unixSocketMode,
  };
}

function readAdmin(read: OptionReader): RestServerConfig['admin'] {
  const port = read.integer('admin-server-port');
  if (port !== null && port === (read.integer('server-port') ?? 3000))
    read.complain('admin-server-port cannot be the same as server-port');
  return { host: read.text('admin-server-host', 'server-host') ?? '!4', port };
}
