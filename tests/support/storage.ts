import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock, systemRandom } from '../../src/core/clock.ts';
import type { Observation } from '../../src/core/observe.ts';
import { trustProxies } from '../../src/http/client-address.ts';
import { createGateway } from '../../src/http/gateway.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { loadInstanceKeys } from '../../src/identity/instance-keys.ts';
import { secretSigningKey, signToken } from '../../src/identity/sign.ts';
import { type Claims, createTokenVerifier } from '../../src/identity/verify.ts';
import { createPool } from '../../src/pg/pool.ts';
import { createRequestDb, createServiceDb } from '../../src/pg/session.ts';
import { openFsStore } from '../../src/storage/backends/fs.ts';
import type { StorageInput } from '../../src/storage/deps.ts';
import { createStorageService } from '../../src/storage/service.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** A storage service of its own behind a gateway, for one test file. */
export type StorageInstance = {
  readonly url: string;
  readonly port: number;
  readonly database: TestDatabase;
  readonly deps: StorageInput;
  readonly observed: Observation[];
  readonly anonKey: string;
  readonly serviceKey: string;
  /** Token of a signed-in user. */
  readonly userToken: (sub: string, claims?: Claims) => Promise<string>;
  /** Signs any claims with the instance's secret. */
  readonly sign: (claims: Claims) => Promise<string>;
  /** Calls the REST family; the target is sent raw. */
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>;
  /** Folder of the filesystem store. */
  readonly folder: string;
  /** Versions of all blobs that are on disk. */
  readonly blobs: () => Promise<string[]>;
  /** Files of writes that are under way, or were left behind. */
  readonly unfinished: () => Promise<string[]>;
};

/** Parts of a call. */
type CallOptions = {
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
};

/** A reply read to its end. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  readonly json: () => unknown;
};

/** What a file of tests may change of an instance. */
export type InstanceOptions = {
  readonly fixture?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Puts something between the service and what it is given, such as failures. */
  readonly wrap?: (input: StorageInput) => StorageInput;
};

const oneHourSeconds = 3600;

/** Starts an instance; it ends with the file's tests. */
export async function startStorage(options: InstanceOptions = {}): Promise<StorageInstance> {
  const database = await createTestDatabase(options.fixture);
  const root = await mkdtemp(join(tmpdir(), 'ownbase-storage-'));
  const { config } = loadConfig({ projectDir: root, env: options.env ?? {}, flags: {} });
  const keys = await loadInstanceKeys(config.keys, root);
  const observed: Observation[] = [];
  const poolOptions = { max: 10, acquireTimeoutMs: 10_000, idleTimeoutMs: 10_000, applicationName: 'test' };
  const requestPool = createPool({ ...poolOptions, url: database.url('authenticator') });
  const servicePool = createPool({ ...poolOptions, url: database.url('supabase_storage_admin') });
  const store = await openFsStore({ root: join(root, 'files'), isDurable: false });
  const deps: StorageInput = {
    config: config.storage,
    requestDb: createRequestDb(requestPool),
    serviceDb: createServiceDb(servicePool),
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
    store,
  };
  const input = options.wrap?.(deps) ?? deps;
  const service = createStorageService(input);
  const mount = { service: 'storage' as const, handler: service.handle, isGuarded: false };
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
  const port = await server.listen(0, '127.0.0.1');
  afterAll(async () => {
    await server.close(1000);
    await service.close();
    await Promise.all([requestPool.end(), servicePool.end()]);
    await rm(root, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  const sign = (claims: Claims): Promise<string> => signToken(claims, secretSigningKey(keys.jwtSecret));
  const exp = Math.floor(Date.now() / 1000) + oneHourSeconds;
  return {
    url,
    port,
    database,
    deps,
    observed,
    anonKey: keys.api.anonToken,
    serviceKey: keys.api.serviceToken,
    userToken: (sub, claims = {}) => sign({ sub, role: 'authenticated', exp, ...claims }),
    sign,
    call: (method, path, call) => callStorage(`${url}/storage/v1${path}`, method, call),
    folder: join(root, 'files'),
    blobs: () => filesUnder(join(root, 'files', 'blobs')),
    unfinished: () => filesUnder(join(root, 'files', 'incoming')),
  };
}

async function callStorage(url: string, method: string, options: CallOptions = {}): Promise<Answer> {
  const { body, token } = options;
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const reply = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...options.headers,
    },
    body: body === undefined ? null : isJson ? JSON.stringify(body) : body,
  });
  const bytes = Buffer.from(await reply.arrayBuffer());
  const text = bytes.toString();
  return {
    status: reply.status,
    headers: reply.headers,
    bytes,
    text,
    json: () => JSON.parse(text) as unknown,
  };
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}
