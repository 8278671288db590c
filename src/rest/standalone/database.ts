import { type CatalogCache, createCatalogCache } from '../../catalog/cache.ts';
import { introspect } from '../../catalog/introspect.ts';
import type { Observer } from '../../core/observe.ts';
import { parseConnectionString } from '../../pg/connection-string.ts';
import { PgFailure } from '../../pg/failure.ts';
import { type Listener, listen } from '../../pg/listen.ts';
import { type ConnectionPool, createPool, type Lease } from '../../pg/pool.ts';
import type { LiveConfig } from '../config/live.ts';
import type { RestServerConfig } from '../config/model.ts';
import { postgrestVersion } from '../version.ts';

/** What the sessions are called unless the connection string says otherwise: monitoring made for PostgREST sees it. */
const applicationName = { fallback: `PostgREST ${postgrestVersion}` };

/** Opens the pool of the service. */
export const openPool = (
  database: RestServerConfig['database'],
  keepsPrepared: () => boolean,
): ConnectionPool =>
  createPool({
    url: parseConnectionString(database.uri, process.env),
    max: database.poolSize,
    acquireTimeoutMs: database.acquisitionTimeoutSeconds * 1000,
    idleTimeoutMs: database.maxIdleSeconds * 1000,
    maxLifetimeSeconds: database.maxLifetimeSeconds,
    keepsPrepared,
    applicationName,
  });

/** Lends a connection for as long as `use` runs. */
export async function withLease<T>(pool: ConnectionPool, use: (lease: Lease) => Promise<T>): Promise<T> {
  const lease = await pool.acquire();
  try {
    return await use(lease);
  } finally {
    lease.release(false);
  }
}

/** Reads the configuration again. */
export const reloadConfig = (pool: ConnectionPool, live: LiveConfig): Promise<void> =>
  withLease(pool, (lease) => live.reload(lease));

/** The catalog of the service: the configuration is read again before each load, for it names the schemas. */
export function createServiceCatalog(
  pool: ConnectionPool,
  live: LiveConfig,
  database: RestServerConfig['database'],
  observer: Observer,
  onFailure: () => void,
): CatalogCache {
  return createCatalogCache({
    observer,
    load: () =>
      withLease(pool, async (lease) => {
        if (database.inDatabaseConfig) await live.reload(lease);
        const { schemas, extraSearchPath, hoistedSettings } = live.current();
        const catalog = await introspect(lease, { schemas, extraSchemas: extraSearchPath, hoistedSettings });
        // Sessions that are older than the change may remember what was: settings of the login role among it.
        pool.refresh();
        return catalog;
      }),
    onFailure(failure) {
      onFailure();
      const message = failure instanceof Error ? failure.message : String(failure);
      observer({
        kind: 'notice',
        service: 'rest',
        level: 'warn',
        message: `the schema cache could not be loaded: ${message}`,
      });
      return database.automaticRecovery && !isWrongPassword(failure);
    },
  });
}

/** No waiting helps against a login that the server refuses. */
const isWrongPassword = (failure: unknown): boolean =>
  failure instanceof PgFailure && (failure.sqlstate === '28P01' || isMissingPassword(failure));

const isMissingPassword = ({ kind, message }: PgFailure): boolean =>
  kind === 'connection' && message.endsWith('client password must be a string');

// How often the catalog is compared with the database where notifications do not reach us.
const pollMs = 30_000;

/** A source of reloads. */
type ReloadSource = { readonly isLive: () => boolean; stop(): Promise<void> };

/** Reloads on notifications; polls while the channel is not heard, as on a replica. `onLost` is told of each loss. */
export function watchChannel(
  pool: ConnectionPool,
  live: LiveConfig,
  cache: CatalogCache,
  database: RestServerConfig['database'],
  observer: Observer,
  onLost: (failure: PgFailure) => void,
): ReloadSource {
  const background = (work: Promise<void>): void => {
    work.catch((error: unknown) =>
      observer({ kind: 'fault', service: 'rest', message: 'a reload failed', error }),
    );
  };
  const targets = parseConnectionString(database.uri, process.env);
  const listener: Listener = listen({
    // A replica takes no LISTEN: among several servers the one that can be written to is heard.
    url: { ...targets, kind: targets.hostCount > 1 ? 'read-write' : 'any' },
    channel: database.channel,
    applicationName,
    onNotification(payload) {
      if (payload === '' || payload === 'reload schema') background(cache.reload('notification'));
      else if (payload === 'reload config') background(reloadConfig(pool, live));
    },
    onLive: (again) => {
      if (again) background(cache.reload('reconnected'));
    },
    onLost(failure, retryMs) {
      observer({
        kind: 'notice',
        service: 'rest',
        level: 'warn',
        message: `not listening on the channel: ${failure.message}`,
        fields: { retryMs },
      });
      onLost(failure);
    },
  });
  const poll = setInterval(() => {
    if (!listener.isLive() && cache.isSettled()) background(cache.reload('poll'));
  }, pollMs);
  poll.unref();
  return {
    isLive: listener.isLive,
    stop() {
      clearInterval(poll);
      return listener.stop();
    },
  };
}
