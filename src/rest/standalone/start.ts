import { systemClock } from '../../core/clock.ts';
import type { Observer } from '../../core/observe.ts';
import { createHttpServer, type HttpServer } from '../../http/server.ts';
import { createRequestDb } from '../../pg/session.ts';
import { createLiveConfig } from '../config/live.ts';
import { type ConfigSources, loadUsableConfig } from '../config/load.ts';
import type { RestServerConfig } from '../config/model.ts';
import { createRestService } from '../service.ts';
import { type AdminSources, createAdminRouter } from './admin.ts';
import { createServiceCatalog, openPool, reloadConfig, watchChannel } from './database.ts';
import { createRestRouter } from './edge.ts';
import { awaitFirstLoad } from './first-load.ts';
import { createRestMetrics } from './metrics.ts';
import { withQueryLog } from './query-log.ts';
import { schemaDocument } from './schema-document.ts';

/** A running REST service. */
export interface RestServer {
  readonly config: RestServerConfig;
  /** Port of the main listener; 0 when it is on a socket. */
  readonly port: number;
  readonly adminPort: number | null;
  reloadSchema(): Promise<void>;
  reloadConfig(): Promise<void>;
  /** Lets running requests finish, then closes everything. */
  stop(): Promise<void>;
}

/** Options of a start. */
export type RestServerOptions = {
  readonly sources: ConfigSources;
  /** Makes the log once its level is known. */
  readonly observer: (log: RestServerConfig['log']) => Observer;
  /** This process among others that serve the same listener: they share the pool's size, the first has the admin listener. */
  readonly worker?: { readonly number: number; readonly count: number };
  /** Called when the database refuses the login, or is away and waiting for it is turned off. */
  readonly onGiveUp: (failure: unknown) => void;
};

const drainMs = 10_000;
const maxBodyBytes = 1024 ** 3;

/**
 * Starts the REST service alone, on any database, from PostgREST's configuration names. The listeners are there at
 * once. Requests wait for the first attempt to load the schema cache, up to two seconds; from then on, and until an
 * attempt succeeds, they get 503, which upstream answers at once. Rejects with `InvalidConfig`, or when a port is taken.
 */
export async function startRestServer(options: RestServerOptions): Promise<RestServer> {
  const config = await loadStartConfig(options);
  const { database } = config;
  const log = options.observer(config.log);
  const live = await createLiveConfig(config, options.sources, log);
  const pool = openPool(database, () => live.current().preparedStatements);
  const metrics = createRestMetrics(pool.load, database.poolSize);
  const observer: Observer = (observation) => {
    metrics.observe(observation);
    log(observation);
  };
  const firstLoad = awaitFirstLoad();
  const cache = createServiceCatalog(pool, live, database, observer, () => {
    metrics.countFailedLoad();
    firstLoad.open();
  });
  cache.subscribe(firstLoad.open);
  const service = createRestService({
    db: config.log.query ? withQueryLog(createRequestDb(pool), observer) : createRequestDb(pool),
    catalog: cache.current,
    config: live.current,
    keys: live.keys,
    maxBodyBytes,
    clock: systemClock,
    observer,
  });
  const main = listener(createRestRouter(firstLoad.guard(service), live.current), observer);
  const port = await listenOn(main, config.server);
  const onLost = database.automaticRecovery ? () => {} : options.onGiveUp;
  const watch = database.channelEnabled ? watchChannel(pool, live, cache, database, observer, onLost) : null;
  const admin = await startAdmin(config.admin, observer, {
    main: () => mainAddress(config.server, port),
    isReady: () => cache.isSettled() && (watch?.isLive() ?? true),
    metrics: metrics.read,
    schemaCache() {
      const catalog = cache.current();
      return catalog === null ? '' : schemaDocument(catalog, live.current().schemas);
    },
  });
  const reloadSchema = (reason: string): Promise<void> => cache.reload(reason).catch(options.onGiveUp);
  void reloadSchema('start');
  return {
    config,
    port,
    adminPort: admin?.port ?? null,
    reloadSchema: () => reloadSchema('signal'),
    reloadConfig: () => reloadConfig(pool, live),
    async stop() {
      cache.stop();
      await Promise.all([main.close(drainMs), admin?.server.close(drainMs), watch?.stop()]);
      await pool.end();
    },
  };
}

async function loadStartConfig({ sources, worker }: RestServerOptions): Promise<RestServerConfig> {
  const config = await loadUsableConfig(sources);
  return worker === undefined ? config : shareOf(config, worker);
}

type Admin = { readonly server: HttpServer; readonly port: number };

async function startAdmin(
  address: RestServerConfig['admin'],
  observer: Observer,
  sources: AdminSources,
): Promise<Admin | null> {
  const { host, port } = address;
  if (port === null) return null;
  const server = listener(createAdminRouter(sources), observer);
  return { server, port: await server.listen(port, listenHost(host)) };
}

/** The part of a configuration that one of several processes has. */
function shareOf(
  config: RestServerConfig,
  worker: { readonly number: number; readonly count: number },
): RestServerConfig {
  const poolSize = Math.max(1, Math.ceil(config.database.poolSize / worker.count));
  return {
    ...config,
    database: { ...config.database, poolSize },
    admin: worker.number === 0 ? config.admin : { ...config.admin, port: null },
  };
}

const listener = (router: Parameters<typeof createHttpServer>[0]['router'], observer: Observer): HttpServer =>
  createHttpServer({ router, observer, isTrustedProxy: () => false, requestTimeoutMs: 0 });

/** Warp's names for "any address". */
const listenHosts: Readonly<Record<string, string>> = {
  '*': '::',
  '*4': '0.0.0.0',
  '!4': '0.0.0.0',
  '*6': '::',
  '!6': '::',
};

const listenHost = (host: string): string => listenHosts[host] ?? host;

async function listenOn(
  server: HttpServer,
  { host, port, unixSocket, unixSocketMode }: RestServerConfig['server'],
): Promise<number> {
  if (unixSocket === null) return await server.listen(port, listenHost(host));
  await server.listenOnSocket(unixSocket, unixSocketMode);
  return 0;
}

function mainAddress(
  { host, unixSocket }: RestServerConfig['server'],
  port: number,
): { host: string; port: number } | { path: string } {
  if (unixSocket !== null) return { path: unixSocket };
  const address = listenHost(host);
  return { host: address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address, port };
}
