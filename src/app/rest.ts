import type { CatalogCache } from '../catalog/cache.ts';
import { type Config, ConfigError } from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import type { Observer } from '../core/observe.ts';
import type { Handler } from '../http/exchange.ts';
import type { KeySource } from '../identity/verify.ts';
import type { ConnectionPool } from '../pg/pool.ts';
import type { RequestDb } from '../pg/session.ts';
import { createLiveConfig } from '../rest/config/live.ts';
import { type ConfigSources, loadRestConfig } from '../rest/config/load.ts';
import { createRestService } from '../rest/service.ts';
import { createServiceCatalog, watchChannel } from '../rest/standalone/database.ts';
import { awaitFirstLoad } from '../rest/standalone/first-load.ts';

/** The REST service of the gateway, with what keeps it current. */
export type GatewayRest = {
  readonly handler: Handler;
  /** Whether the schema cache is loaded. */
  readonly isReady: () => boolean;
  readonly catalog: CatalogCache;
  stop(): Promise<void>;
};

/** Makings of the gateway's REST service. */
export type GatewayRestDeps = {
  readonly config: Config;
  readonly db: RequestDb;
  readonly pool: ConnectionPool;
  readonly url: string;
  readonly keys: KeySource;
  readonly clock: Clock;
  readonly observer: Observer;
};

/** The settings of our configuration under PostgREST's names; those that only it knows come from the environment. */
function sources({ api, db }: Config, url: string): ConfigSources {
  return {
    file: null,
    env: {
      ...process.env,
      PGRST_DB_URI: url,
      PGRST_DB_SCHEMAS: api.schemas.join(','),
      PGRST_DB_EXTRA_SEARCH_PATH: api.extraSearchPath.join(','),
      PGRST_DB_MAX_ROWS: api.maxRows === null ? undefined : String(api.maxRows),
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_DB_POOL: String(db.poolSize),
      // The instance's own keys verify tokens, whatever a secret in the environment says.
      PGRST_JWT_SECRET: undefined,
    },
  };
}

/**
 * Starts the REST service of the gateway. Its first requests wait for the schema cache; as long as that cannot be
 * loaded, requests get 503.
 */
export async function startGatewayRest(deps: GatewayRestDeps): Promise<GatewayRest> {
  const from = sources(deps.config, deps.url);
  const loaded = await loadRestConfig(from);
  if (!loaded.ok) throw new ConfigError(loaded.error);
  const { database } = loaded.value;
  const live = await createLiveConfig(loaded.value, from, deps.observer);
  const firstLoad = awaitFirstLoad();
  const catalog = createServiceCatalog(deps.pool, live, database, deps.observer, firstLoad.open);
  catalog.subscribe(firstLoad.open);
  const handler = createRestService({
    db: deps.db,
    catalog: catalog.current,
    config: live.current,
    keys: () => deps.keys,
    clock: deps.clock,
    maxBodyBytes: deps.config.gateway.maxBodyBytes,
    observer: deps.observer,
  });
  const watch = watchChannel(deps.pool, live, catalog, database, deps.observer, () => {});
  catalog.reload('start').catch((error: unknown) => {
    deps.observer({ kind: 'fault', service: 'rest', message: 'the schema cache was given up', error });
  });
  return {
    handler: firstLoad.guard(handler),
    catalog,
    isReady: () => catalog.current() !== null,
    async stop() {
      catalog.stop();
      await watch.stop();
    },
  };
}
