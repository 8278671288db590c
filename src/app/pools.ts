import type { Config } from '../config/load.ts';
import { type ConnectionPool, createPool } from '../pg/pool.ts';
import { createRequestDb, createServiceDb, type RequestDb, type ServiceDb } from '../pg/session.ts';
import type { DatabaseUrls } from '../platform/logins.ts';

/** Purposes that have connections of their own. */
type PoolName = 'rest' | 'storage_requests' | 'visibility' | 'auth' | 'storage';

/** The database as each part of the process may use it. */
export type Databases = {
  /** REST requests. */
  readonly requests: RequestDb;
  /** Storage's statements as the request's role. */
  readonly storageRequests: RequestDb;
  /** Realtime's visibility checks and channel authorization. */
  readonly visibility: RequestDb;
  readonly auth: ServiceDb;
  readonly storage: ServiceDb;
  readonly pools: Readonly<Record<PoolName, ConnectionPool>>;
  end(): Promise<void>;
};

const idleTimeoutMs = 60_000;
const visibilityConnections = 4;

/** Opens one pool per purpose and login; connections are made on demand. */
export function openDatabases(config: Config['db'], urls: DatabaseUrls): Databases {
  const pool = (purpose: string, url: string, max: number): ConnectionPool =>
    createPool({
      url,
      max,
      idleTimeoutMs,
      acquireTimeoutMs: config.acquireTimeoutMs,
      applicationName: `ownbase ${purpose}`,
    });
  const pools = {
    rest: pool('rest', urls.authenticator, config.poolSize),
    storage_requests: pool('storage requests', urls.authenticator, config.servicePoolSize),
    visibility: pool('realtime', urls.authenticator, visibilityConnections),
    auth: pool('auth', urls.authAdmin, config.servicePoolSize),
    storage: pool('storage', urls.storageAdmin, config.servicePoolSize),
  };
  return {
    requests: createRequestDb(pools.rest),
    storageRequests: createRequestDb(pools.storage_requests),
    visibility: createRequestDb(pools.visibility),
    auth: createServiceDb(pools.auth),
    storage: createServiceDb(pools.storage),
    pools,
    async end() {
      await Promise.all(Object.values(pools).map((one) => one.end()));
    },
  };
}
