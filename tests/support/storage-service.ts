import { loadConfig } from '../../src/config/load.ts';
import { systemClock, systemRandom } from '../../src/core/clock.ts';
import type { Observation } from '../../src/core/observe.ts';
import { trustProxies } from '../../src/http/client-address.ts';
import type { Handler } from '../../src/http/exchange.ts';
import { createGateway } from '../../src/http/gateway.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { loadInstanceKeys } from '../../src/identity/instance-keys.ts';
import { createTokenVerifier } from '../../src/identity/verify.ts';
import { connect } from '../../src/pg/connect.ts';
import { createPool } from '../../src/pg/pool.ts';
import { createRequestDb, createServiceDb } from '../../src/pg/session.ts';
import type { ObjectStore } from '../../src/storage/backends/object-store.ts';
import type { StorageInput } from '../../src/storage/deps.ts';
import { createStorageService } from '../../src/storage/service.ts';

/** What a service is composed of. */
export type Composition = {
  /** Folder of the instance's keys. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly databaseUrl: (login: 'authenticator' | 'supabase_storage_admin') => string;
  readonly store: ObjectStore;
  readonly wrap: (input: StorageInput) => StorageInput;
  /** Connections of each pool; 10 unless told otherwise. */
  readonly connections?: number | undefined;
  /** Called when a request has been dealt with, before its answer is sent. */
  readonly onAnswer?: () => void;
};

/** A service that listens. */
export type RunningStorage = {
  readonly port: number;
  /** What it was given, before `wrap`. */
  readonly deps: StorageInput;
  readonly observed: Observation[];
  close(): Promise<void>;
};

/** Composes a service behind a gateway and listens on a free port. */
export async function runStorage({ root, env, ...given }: Composition): Promise<RunningStorage> {
  const { config } = loadConfig({ projectDir: root, env, flags: {} });
  const keys = await loadInstanceKeys(config.keys, root);
  const observed: Observation[] = [];
  const poolOptions = {
    max: given.connections ?? 10,
    acquireTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    applicationName: 'test',
  };
  const requestPool = createPool({ ...poolOptions, url: given.databaseUrl('authenticator') });
  const servicePool = createPool({ ...poolOptions, url: given.databaseUrl('supabase_storage_admin') });
  const deps: StorageInput = {
    config: config.storage,
    requestDb: createRequestDb(requestPool),
    serviceDb: createServiceDb(servicePool),
    openLockSession: (options) => connect(given.databaseUrl('supabase_storage_admin'), options),
    keys,
    verifier: createTokenVerifier({
      source: keys.source,
      clock: systemClock,
      leewaySeconds: 0,
      checkIssuedAt: false,
      cacheSize: 1000,
    }),
    clock: systemClock,
    random: systemRandom,
    observer: (observation) => observed.push(observation),
    publicUrl: 'http://127.0.0.1',
    store: given.store,
  };
  const service = createStorageService(given.wrap(deps));
  const handler: Handler = async (request) => {
    const reply = await service.handle(request);
    given.onAnswer?.();
    return reply;
  };
  const { uploadIdleMs: idleMs, uploadTimeoutMs: totalMs } = config.storage;
  const patience = { idleMs, totalMs };
  const mount = { service: 'storage' as const, handler, isGuarded: false, patience };
  const server = createHttpServer({
    router: createGateway({
      keys: keys.api,
      requireApikey: false,
      mounts: [
        { ...mount, prefix: '/storage/v1', credentials: 'apikey' },
        { ...mount, prefix: '/storage/v1/s3', base: '/storage/v1', credentials: 'untouched' },
      ],
    }),
    observer: deps.observer,
    isTrustedProxy: trustProxies([]),
    requestTimeoutMs: 60_000,
  });
  return {
    port: await server.listen(0, '127.0.0.1'),
    deps,
    observed,
    async close() {
      await server.close(1000);
      await service.close();
      await Promise.all([requestPool.end(), servicePool.end()]);
    },
  };
}
