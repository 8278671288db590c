import type { Client, PoolClient } from 'pg';
import pg from 'pg';
import { toPgFailure } from './failure.ts';
import { PipelineClient, runPipeline, type Step, type StepResult } from './pipeline.ts';
import { textualTypes } from './types.ts';

/** Size and patience of a pool. */
export type PoolOptions = {
  readonly url: string;
  readonly max: number;
  /** How long a request waits for a free connection before it fails with kind `pool-timeout`. */
  readonly acquireTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Age at which a connection is replaced; unlimited when absent. */
  readonly maxLifetimeSeconds?: number;
  /** Asked at each use: false sends every statement unnamed, as a pooler between needs it. */
  readonly keepsPrepared?: () => boolean;
  readonly applicationName: string;
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
  end(): Promise<void>;
}

/** Opens a pool; connections are made on demand and broken ones are replaced. */
export function createPool(options: PoolOptions): ConnectionPool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    idleTimeoutMillis: options.idleTimeoutMs,
    maxLifetimeSeconds: options.maxLifetimeSeconds ?? 0,
    application_name: options.applicationName,
    allowExitOnIdle: false,
    types: textualTypes,
    Client: PipelineClient,
  });
  pool.on('connect', (client) => {
    // A connection that dies on loan reports here as well as to its statement, which is the report we want.
    client.on('error', () => {});
  });
  // An idle connection that the server closes reports here; the pool has already dropped it.
  pool.on('error', () => {});
  return {
    acquire: () => acquire(pool, options.keepsPrepared ?? always),
    load: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    end: () => pool.end(),
  };
}

const always = (): boolean => true;

const unnamed = (step: Step): Step => ({ ...step, scope: null });

async function acquire(pool: pg.Pool, keepsPrepared: () => boolean): Promise<Lease> {
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (thrown) {
    throw toPgFailure(thrown);
  }
  return {
    run: (steps) => runPipeline(client as unknown as Client, keepsPrepared() ? steps : steps.map(unnamed)),
    release: (broken) => client.release(broken),
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
