import type { QualifiedName } from '../../catalog/model.ts';
import { printJsPath } from '../jwt/js-path.ts';
import type { RestServerConfig, TransactionEnd } from './model.ts';

/**
 * The configuration as a file of its own format, every option with the value that counts.
 * Upstream: PostgREST src/PostgREST/Config.hs (toText).
 */
export function dumpConfig({ rest, database, server, admin, log }: RestServerConfig): string {
  const options: readonly (readonly [name: string, value: string])[] = [
    ['db-aggregates-enabled', String(rest.aggregatesEnabled)],
    ['db-anon-role', quoted(rest.anonRole)],
    ['db-channel', quoted(database.channel)],
    ['db-channel-enabled', String(database.channelEnabled)],
    ['db-extra-search-path', quotedList(rest.extraSearchPath)],
    ['db-hoisted-tx-settings', quotedList(rest.hoistedSettings)],
    ['db-max-rows', number(rest.maxRows)],
    ['db-plan-enabled', String(rest.planEnabled)],
    ['db-pool', number(database.poolSize)],
    ['db-pool-acquisition-timeout', number(database.acquisitionTimeoutSeconds)],
    ['db-pool-max-lifetime', number(database.maxLifetimeSeconds)],
    ['db-pool-max-idletime', number(database.maxIdleSeconds)],
    ['db-pool-automatic-recovery', String(database.automaticRecovery)],
    ['db-pre-request', quotedName(rest.preRequest)],
    ['db-prepared-statements', String(rest.preparedStatements)],
    ['db-root-spec', quotedName(rest.rootSpec)],
    ['db-schemas', quotedList(rest.schemas)],
    ['db-config', String(database.inDatabaseConfig)],
    ['db-pre-config', quotedName(database.preConfig)],
    ['db-tx-end', quoted(endName(rest.transactionEnd))],
    ['db-uri', quoted(database.uri)],
    ['jwt-aud', quoted(rest.jwt.audience)],
    ['jwt-role-claim-key', quoted(printJsPath(rest.jwt.roleClaimPath))],
    ['jwt-secret', quoted(rest.jwt.secret?.toString(rest.jwt.isSecretBase64 ? 'base64' : 'utf8') ?? null)],
    ['jwt-secret-is-base64', String(rest.jwt.isSecretBase64)],
    ['jwt-cache-max-entries', number(rest.jwt.cacheMaxEntries)],
    ['log-level', quoted(log.level)],
    ['log-query', String(log.query)],
    ['openapi-mode', quoted(rest.openApiMode)],
    ['openapi-security-active', String(rest.openApiSecurityActive)],
    ['openapi-server-proxy-uri', quoted(rest.openApiServerProxyUri)],
    ['server-cors-allowed-origins', quotedList(rest.corsAllowedOrigins ?? [])],
    ['server-host', quoted(server.host)],
    ['server-port', number(server.port)],
    ['server-trace-header', quoted(rest.traceHeader)],
    ['server-timing-enabled', String(rest.serverTimingEnabled)],
    ['server-unix-socket', quoted(server.unixSocket)],
    ['server-unix-socket-mode', quoted(server.unixSocketMode.toString(8))],
    ['admin-server-host', quoted(admin.host)],
    ['admin-server-port', number(admin.port)],
    ...rest.appSettings
      .map(([name, value]) => [name, quoted(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ];
  return options.map(([name, value]) => `${name} = ${value}\n`).join('');
}

const quoted = (text: string | null): string => `"${(text ?? '').replaceAll('"', '\\"')}"`;

const quotedList = (items: readonly string[]): string => quoted(items.join(','));

const quotedName = (name: QualifiedName | null): string =>
  quoted(name === null ? null : name.schema === '' ? name.name : `${name.schema}.${name.name}`);

const number = (value: number | null): string => (value === null ? '""' : String(value));

const endName = ({ rollback, allowOverride }: TransactionEnd): string =>
  `${rollback ? 'rollback' : 'commit'}${allowOverride ? '-allow-override' : ''}`;
