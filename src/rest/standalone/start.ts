import { systemClock } from '../../core/clock.ts';
import type { Observer } from '../../core/observe.ts';
import { createHttpServer, type HttpServer } from '../../http/server.ts';
import { createRequestDb } from '../../pg/session.ts';
import { createLiveConfig } from '../config/live.ts';
import { type ConfigSources, loadRestConfig } from '../config/load.ts';
import type { RestServerConfig } from '../config/model.ts';
import { createRestService } from '../service.ts';
import { type AdminSources, createAdminRouter } from './admin.ts';
import { createServiceCatalog, openPool, reloadConfig, watchChannel } from './database.ts';
import { createRestRouter } from './edge.ts';
import { createRestMetrics } from './metrics.ts';
import { withQueryLog } from './query-log.ts';

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
  /** Called when the database stays away and waiting for it is turned off. */
  readonly onGiveUp: (failure: unknown) => void;
};

/** A configuration that the service cannot start with. */
class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const drainMs = 10_000;
const maxBodyBytes = 1024 ** 3;

/**
 * Starts the REST service alone, on any database, from PostgREST's configuration names. The listeners answer at once;
 * requests get 503 until the schema cache is loaded. Rejects with `InvalidConfig`, or when a port is taken.
 */
export async function startRestServer(options: RestServerOptions): Promise<RestServer> {
  const config = await loadStartConfig(options);
  const { database } = config;
  const log = options.observer(config.log);
  const live = await createLiveConfig(config, options.sources, log).catch(refuse);
  const pool = openPool(database, () => live.current().preparedStatements);
  const metrics = createRestMetrics(pool.load, database.poolSize);
  const observer: Observer = (observation) => {
    metrics.observe(observation);
    log(observation);
  };
  const cache = createServiceCatalog(pool, live, database, observer, metrics.countFailedLoad);
  const service = createRestService({
    db: config.log.query ? withQueryLog(createRequestDb(pool), observer) : createRequestDb(pool),
    catalog: cache.current,
    config: live.current,
    keys: live.keys,
    maxBodyBytes,
    clock: systemClock,
    observer,
  });
  const main = listener(createRestRouter(service, live.current), observer);
  const port = await listenOn(main, config.server);
  const watch = database.channelEnabled ? watchChannel(pool, live, cache, database, observer) : null;
  const admin = await startAdmin(config.admin, observer, {
    main: () => mainAddress(config.server, port),
    isReady: () => cache.isSettled() && (watch?.isLive() ?? true),
    metrics: metrics.read,
    schemaCache: () => JSON.stringify(cache.current()?.counts ?? null),
  });
  cache.reload('start').catch(options.onGiveUp);
  return {
    config,
    port,
    adminPort: admin?.port ?? null,
    reloadSchema: () => cache.reload('signal'),
    reloadConfig: () => reloadConfig(pool, live),
    async stop() {
      cache.stop();
      await Promise.all([main.close(drainMs), admin?.server.close(drainMs), watch?.stop()]);
      await pool.end();
    },
  };
}

async function loadStartConfig({ sources, worker }: RestServerOptions): Promise<RestServerConfig> {
  const loaded = await loadRestConfig(sources);
  if (!loaded.ok) throw new InvalidConfig(loaded.error);
  return worker === undefined ? loaded.value : shareOf(loaded.value, worker);
}

type Admin = { readonly server: HttpServer; readonly port: number };

async function startAdmin(
  address: RestServerConfig['admin'],
  observer: Observer,
  sources: AdminSources,
): Promise<Admin | null> {
  if (address === null) return null;
  const server = listener(createAdminRouter(sources), observer);
  return { server, port: await server.listen(address.port, listenHost(address.host)) };
}

/** A secret that is too short shows only when keys are made of it. */
function refuse(thrown: unknown): never {
  throw new InvalidConfig([thrown instanceof Error ? thrown.message : String(thrown)]);
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
    admin: worker.number === 0 ? config.admin : null,
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
