import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Observation } from '../../src/core/observe.ts';
import { secretSigningKey, signToken } from '../../src/identity/sign.ts';
import type { Claims } from '../../src/identity/verify.ts';
import { openFsStore } from '../../src/storage/backends/fs.ts';
import type { ObjectStore } from '../../src/storage/backends/object-store.ts';
import type { StorageInput } from '../../src/storage/deps.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { runStorage } from './storage-service.ts';

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
  /** Folder of the instance: its keys, and the store. */
  readonly root: string;
  /** Folder of the filesystem store. */
  readonly folder: string;
  /** Versions of all blobs that are on disk. */
  readonly blobs: () => Promise<string[]>;
  /** Files of writes that are under way, or were left behind. */
  readonly unfinished: () => Promise<string[]>;
};

/** Parts of a call. */
export type CallOptions = {
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
  /** Puts something between the service and its database. */
  readonly through?: (databaseUrl: string) => string;
  /** Connections of each pool to the database. */
  readonly connections?: number;
  /** Takes the place of the filesystem store, which gets this folder. */
  readonly openStore?: (folder: string) => Promise<ObjectStore>;
};

const oneHourSeconds = 3600;

/** Starts an instance; it ends with the file's tests. */
export async function startStorage(options: InstanceOptions = {}): Promise<StorageInstance> {
  const database = await createTestDatabase(options.fixture);
  const root = await mkdtemp(join(tmpdir(), 'ownbase-storage-'));
  const folder = join(root, 'files');
  const { through = (url) => url, openStore = openFiles } = options;
  const running = await runStorage({
    root,
    env: options.env ?? {},
    databaseUrl: (login) => through(database.url(login)),
    store: await openStore(folder),
    wrap: options.wrap ?? ((input) => input),
    connections: options.connections,
  });
  afterAll(async () => {
    await running.close();
    await rm(root, { recursive: true, force: true });
  });
  const { deps, port, observed } = running;
  const url = `http://127.0.0.1:${port}`;
  const sign = (claims: Claims): Promise<string> => signToken(claims, secretSigningKey(deps.keys.jwtSecret));
  const exp = Math.floor(Date.now() / 1000) + oneHourSeconds;
  return {
    url,
    port,
    database,
    deps,
    observed,
    anonKey: deps.keys.api.anonToken,
    serviceKey: deps.keys.api.serviceToken,
    userToken: (sub, claims = {}) => sign({ sub, role: 'authenticated', exp, ...claims }),
    sign,
    call: (method, path, call) => callStorage(`${url}/storage/v1${path}`, method, call),
    root,
    folder,
    blobs: () => filesUnder(join(folder, 'blobs')),
    unfinished: () => filesUnder(join(folder, 'incoming')),
  };
}

/** A filesystem store that flushes nothing: nothing has to outlive the machine. */
const openFiles = (folder: string): Promise<ObjectStore> => openFsStore({ root: folder, isDurable: false });

/** Calls a service that listens at the URL. */
export async function callStorage(url: string, method: string, options: CallOptions = {}): Promise<Answer> {
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
