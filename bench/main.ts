import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { connect } from '../src/pg/connect.ts';
import { loginUrl, startTestCluster } from '../tests/support/cluster.ts';
import { benchUser, datasetSql, settleSql } from './dataset.ts';
import { floor } from './floor.ts';
import { type LoadResult, load } from './load.ts';
import { type Server, startServer } from './processes.ts';
import { type Workload, workloads } from './workloads.ts';

/*
 * Compares ownbase with two references in one run, on one Postgres and one data set:
 *   floor    the same SQL through bare `pg`, one round trip, no HTTP
 *   ceiling  a hard-coded HTTP server that checks the token and makes that one round trip
 * Rounds alternate between the servers, so that a slow moment of the machine hits both.
 */
const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '16' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(flags.seconds);
const connections = Number(flags.connections);
const poolSize = 10;
const secret = 'super-secret-jwt-token-with-at-least-32-characters-long';
const claims = JSON.stringify({
  sub: benchUser,
  role: 'authenticated',
  aud: 'authenticated',
  exp: 4_102_444_800,
});

function benchToken(): string {
  const part = (text: string): string => Buffer.from(text).toString('base64url');
  const signed = `${part('{"alg":"HS256","typ":"JWT"}')}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const isAnswering = async (url: string): Promise<boolean> => (await fetch(url)).status < 503;

async function startCeiling(databaseUrl: string): Promise<Server> {
  const port = await freePort();
  return startServer(
    ['node', '--import', 'tsx', 'bench/servers/ceiling.ts'],
    { PORT: String(port), DATABASE_URL: databaseUrl, JWT_SECRET: secret, POOL: String(poolSize) },
    `http://127.0.0.1:${port}`,
    isAnswering,
  );
}

async function startOwnbase(databaseUrl: string): Promise<Server> {
  const port = await freePort();
  return startServer(
    ['node', 'dist/cli/main.js', 'rest'],
    {
      PGRST_DB_URI: databaseUrl,
      PGRST_DB_SCHEMAS: 'public',
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_JWT_SECRET: secret,
      PGRST_DB_EXTRA_SEARCH_PATH: 'public,extensions',
      PGRST_DB_MAX_ROWS: '1000',
      PGRST_DB_POOL: String(poolSize),
      PGRST_SERVER_PORT: String(port),
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_LOG_LEVEL: 'error',
    },
    `http://127.0.0.1:${port}`,
    isAnswering,
  );
}

type Row = {
  readonly workload: Workload;
  readonly floorPerSecond: number;
  readonly ceiling: LoadResult;
  readonly own: LoadResult;
};

const best = (results: readonly LoadResult[]): LoadResult =>
  results.reduce((left, right) => (right.perSecond > left.perSecond ? right : left));

async function measure(
  workload: Workload,
  servers: { ceiling: Server; own: Server },
  databaseUrl: string,
): Promise<Row> {
  const token = benchToken();
  const against = (server: Server): Promise<LoadResult> =>
    load(workload, { url: server.url, pid: server.pid, connections, seconds, token });
  const floorPerSecond = await floor(workload, { databaseUrl, claims, pool: poolSize, seconds: seconds / 2 });
  const ceilings: LoadResult[] = [];
  const owns: LoadResult[] = [];
  for (let round = 0; round < Number(flags.rounds); round++) {
    ceilings.push(await against(servers.ceiling));
    owns.push(await against(servers.own));
  }
  return { workload, floorPerSecond, ceiling: best(ceilings), own: best(owns) };
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

function line(row: Row): string {
  const { workload, floorPerSecond, ceiling, own } = row;
  const share = own.perSecond / ceiling.perSecond;
  const isVoid = workload.name === 'read by key' && ceiling.perSecond < floorPerSecond / 2;
  return [
    workload.name.padEnd(20),
    floorPerSecond.toFixed(0).padStart(8),
    ceiling.perSecond.toFixed(0).padStart(8),
    own.perSecond.toFixed(0).padStart(8),
    percent(share).padStart(7),
    percent(workload.target).padStart(7),
    `${own.p99}/${ceiling.p99}`.padStart(10),
    `${own.cpuMicros.toFixed(0)}/${ceiling.cpuMicros.toFixed(0)}`.padStart(10),
    own.errors + ceiling.errors > 0 ? `  ${own.errors}+${ceiling.errors} errors` : '',
    isVoid ? '  void: ceiling below half of the floor' : '',
  ].join(' ');
}

const cluster = await startTestCluster({ shared_buffers: '256MB' });
const servers: Server[] = [];
try {
  const owner = new URL(cluster.ownerUrl);
  const postgres = await connect(loginUrl(owner, 'postgres', 'postgres'));
  await postgres.exec(datasetSql);
  await postgres.end();
  const admin = await connect(cluster.ownerUrl);
  await admin.exec(settleSql);
  await admin.end();
  const databaseUrl = loginUrl(owner, 'postgres', 'authenticator');
  const ceiling = await startCeiling(databaseUrl);
  servers.push(ceiling);
  const own = await startOwnbase(databaseUrl);
  servers.push(own);
  if (!flags.json) {
    process.stdout.write(
      `${connections} connections, ${seconds} s, pool of ${poolSize}, requests per second\n`,
    );
    process.stdout.write(
      'workload                floor  ceiling  ownbase   share  target   p99 ms  cpu us (own/ceiling)\n',
    );
  }
  for (const workload of workloads.filter(({ name }) => name.includes(flags.only))) {
    const row = await measure(workload, { ceiling, own }, databaseUrl);
    process.stdout.write(flags.json ? `${JSON.stringify(row)}\n` : `${line(row)}\n`);
  }
} finally {
  for (const server of servers) await server.stop();
  await cluster.stop();
}
