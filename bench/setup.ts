import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import { connect } from '../src/pg/connect.ts';
import { loginUrl, startTestCluster } from '../tests/support/cluster.ts';
import { benchUser, datasetSql, settleSql } from './dataset.ts';
import { type Server, startServer } from './processes.ts';

/** Connections to Postgres of each server under test. */
export const poolSize = 10;

/** Secret of the servers under test. */
export const benchSecret = 'super-secret-jwt-token-with-at-least-32-characters-long';

/** Claims of the bench's user, as its token carries them. */
export const claims = JSON.stringify({
  sub: benchUser,
  role: 'authenticated',
  aud: 'authenticated',
  exp: 4_102_444_800,
});

function sign(payload: string): string {
  const part = (text: string): string => Buffer.from(text).toString('base64url');
  const signed = `${part('{"alg":"HS256","typ":"JWT"}')}.${part(payload)}`;
  return `${signed}.${createHmac('sha256', benchSecret).update(signed).digest('base64url')}`;
}

/** A token of the bench's user. */
export const benchToken = (): string => sign(claims);

/** A token of the service role. */
export const serviceToken = (): string => sign('{"role":"service_role","exp":4102444800}');

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
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

/** Starts the yardstick server. */
export async function startCeiling(databaseUrl: string): Promise<Server> {
  const port = await freePort();
  return startServer(
    ['node', '--import', 'tsx', 'bench/servers/ceiling.ts'],
    { PORT: String(port), DATABASE_URL: databaseUrl, JWT_SECRET: benchSecret, POOL: String(poolSize) },
    `http://127.0.0.1:${port}`,
    isAnswering,
  );
}

/** Starts `ownbase rest` as it was built. */
export async function startOwnbase(databaseUrl: string, workers = 1): Promise<Server> {
  const port = await freePort();
  return startServer(
    ['node', 'dist/cli/main.js', 'rest', '--workers', String(workers)],
    {
      PGRST_DB_URI: databaseUrl,
      PGRST_DB_SCHEMAS: 'public',
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_JWT_SECRET: benchSecret,
      PGRST_DB_EXTRA_SEARCH_PATH: 'public,extensions',
      PGRST_DB_MAX_ROWS: '1000',
      PGRST_DB_POOL: String(poolSize),
      PGRST_SERVER_PORT: String(port),
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_LOG_LEVEL: 'crit',
    },
    `http://127.0.0.1:${port}`,
    isAnswering,
  );
}

/** Runs a bench on a Postgres of its own that holds the data set; everything is stopped afterwards. */
export async function withDataset(
  work: (databaseUrl: string, started: (server: Server) => Server) => Promise<void>,
): Promise<void> {
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
    await work(loginUrl(owner, 'postgres', 'authenticator'), (server) => {
      servers.push(server);
      return server;
    });
  } finally {
    for (const server of servers) await server.stop();
    await cluster.stop();
  }
}
