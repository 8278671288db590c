import type { Client, PoolClient } from 'pg';
import pg from 'pg';
import { type ConnectionTargets, toTargets } from './connection-string.ts';
import { notConnected, type PgFailure } from './failure.ts';
import { PipelineClient, runPipeline, type Step, type StepResult } from './pipeline.ts';
import { checkSession } from './session-kind.ts';
import { textualTypes } from './types.ts';

/** Size and patience of a pool. */
export type PoolOptions = {
  /** One server, or several of which the first that can be reached is used. */
  readonly url: string | ConnectionTargets;
  readonly max: number;
  /** How long a request waits for a free connection before it fails with kind `pool-timeout`. */
  readonly acquireTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Age at which a connection is replaced; unlimited when absent. */
  readonly maxLifetimeSeconds?: number;
  /** Asked at each use: false sends every statement unnamed, as a pooler between needs it. */
  readonly keepsPrepared?: () => boolean;
  /** Name of the sessions; `fallback` gives way to a name that the connection string or `PGAPPNAME` has. */
  readonly applicationName: string | { readonly fallback: string };
};

/** Load of a pool, for metrics. */
export type PoolLoad = { readonly total: number; readonly idle: number; readonly waiting: number };

/** A connection on loan from the pool. */
export type Lease = {
  run(steps: readonly Step[]): Promise<readonly StepResult[]>;
  /** Returns the connection; `broken` closes it instead. */
  release(broken: boolean): void;
  /** Asks the server to stop what the connection is doing; resolves when the request is delivered. */
  cancel(): Promise<void>;
};

/** Connections of one purpose and one login. */
export interface ConnectionPool {
  acquire(): Promise<Lease>;
  load(): PoolLoad;
  /** Replaces every connection: the idle ones at once, the others when they are given back. */
  refresh(): void;
  end(): Promise<void>;
}

/** Opens a pool; connections are made on demand and broken ones are replaced. */
export function createPool(options: PoolOptions): ConnectionPool {
  const { applicationName } = options;
  const { urls, kind } = toTargets(options.url);
  const pool = new pg.Pool({
    max: options.max,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    idleTimeoutMillis: options.idleTimeoutMs,
    maxLifetimeSeconds: options.maxLifetimeSeconds ?? 0,
    ...(typeof applicationName === 'string'
      ? { application_name: applicationName }
      : { fallback_application_name: applicationName.fallback }),
    allowExitOnIdle: false,
    types: textualTypes,
    Client: PipelineClient,
    ...(kind === 'any' ? {} : { onConnect: (client) => checkSession(client, kind) }),
  });
  const connecting = createConnector(pool, urls);
  let current = new WeakSet<object>();
  pool.on('connect', (client) => {
    current.add(client);
    // A connection that dies on loan reports here as well as to its statement, which is the report we want.
    client.on('error', () => {});
  });
  // An idle connection that the server closes reports here; the pool has already dropped it.
  pool.on('error', () => {});
  const keepsPrepared = options.keepsPrepared ?? always;
  const acquire = async (): Promise<PoolClient> => {
    for (;;) {
      const client = await connecting();
      if (current.has(client)) return client;
      client.release(true);
    }
  };
  return {
    acquire: async () => toLease(await acquire(), keepsPrepared, (client) => !current.has(client)),
    load: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    refresh: () => {
      current = new WeakSet();
    },
    end: () => pool.end(),
  };
}

const always = (): boolean => true;

const unnamed = (step: Step): Step => ({ ...step, scope: null });

/** Takes connections from the pool; a server that cannot be reached makes place for the next in the list. */
function createConnector(pool: pg.Pool, urls: readonly string[]): () => Promise<PoolClient> {
  let chosen = 0;
  const use = (index: number): void => {
    chosen = index;
    // The pool reads its options whenever it makes a connection.
    pool.options.connectionString = urls[index];
  };
  use(0);
  return async () => {
    let first: PgFailure | null = null;
    for (let tried = 1; ; tried++) {
      const attempted = chosen;
      try {
        return await pool.connect();
      } catch (thrown) {
        const failure = notConnected(thrown);
        first ??= failure;
        if (!isTargetsFault(failure) || tried >= urls.length) throw first;
        if (chosen === attempted) use((attempted + 1) % urls.length);
      }
    }
  };
}

/** Whether another server, or the same one with or without TLS, may take the connection: not so for a wrong password. */
const isTargetsFault = ({ sqlstate }: PgFailure): boolean =>
  sqlstate === '08001' || sqlstate === '28000' || sqlstate === '57P03';

function toLease(
  client: PoolClient,
  keepsPrepared: () => boolean,
  isOutdated: (client: PoolClient) => boolean,
): Lease {
  return {
    run: (steps) => runPipeline(client as unknown as Client, keepsPrepared() ? steps : steps.map(unnamed)),
    release: (broken) => client.release(broken || isOutdated(client)),
    cancel: () => cancelBackend(client as unknown as BackendKey),
  };
}

type BackendKey = Client & {
  readonly processID: number;
  readonly secretKey: number;
  readonly host: string;
  readonly port: number;
};

type CancelConnection = {
  connect(portOrPath: number | string, host?: string): void;
  cancel(processID: number, secretKey: number): void;
  once(event: 'connect' | 'end' | 'error', listener: () => void): void;
  end(): void;
};

/** Sends CancelRequest on a connection of its own, as the protocol demands. */
function cancelBackend(client: BackendKey): Promise<void> {
  return new Promise((resolve) => {
    // The class is exported by the driver but its cancel method is missing from the typings.
    const connection = new pg.Connection({}) as unknown as CancelConnection;
    connection.once('connect', () => connection.cancel(client.processID, client.secretKey));
    connection.once('end', resolve);
    connection.once('error', resolve);
    if (client.host.startsWith('/')) connection.connect(`${client.host}/.s.PGSQL.${client.port}`);
    else connection.connect(client.port, client.host);
  });
}
