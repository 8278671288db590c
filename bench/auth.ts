import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash, verify } from '@node-rs/bcrypt';
import { connect } from '../src/pg/connect.ts';
import { startTestCluster } from '../tests/support/cluster.ts';
import { type Server, startServer } from './processes.ts';
import { benchSecret, freePort, poolSize, serviceToken } from './setup.ts';

/*
 * What auth costs, on one Postgres in one run: `getUser` and refreshes against a hard-coded server that makes the same
 * queries, sign-ins against the rate at which this machine hashes passwords, and how much fifty concurrent sign-ins
 * delay a read by key and a small download.
 */

const password = 'correct horse';
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

type Call = {
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
};
type Answer = { readonly status: number; readonly text: string };

function send(base: string, { method, path, token, body }: Call): Promise<Answer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(base + path, {
      method,
      agent,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === ''
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.end(text);
  });
}

type Measured = { readonly perSecond: number; readonly p99: number; readonly errors: number };

/** Runs a job over and over on some lanes at once, for some seconds. */
async function repeat(
  lanes: number,
  seconds: number,
  job: (lane: number) => Promise<boolean>,
): Promise<Measured> {
  const times: number[] = [];
  let errors = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (performance.now() < end) {
        const began = performance.now();
        if (!(await job(lane))) errors++;
        times.push(performance.now() - began);
      }
    }),
  );
  times.sort((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
  return { perSecond: times.length / ((performance.now() - start) / 1000), p99, errors };
}

type Session = { access_token: string; refresh_token: string };

async function signIn(own: Server, lane: number): Promise<Session> {
  const body = { email: `bench${lane}@example.com`, password };
  const { text } = await send(`${own.url}/auth/v1`, {
    method: 'POST',
    path: '/token?grant_type=password',
    body,
  });
  return JSON.parse(text) as Session;
}

async function makeUsers(own: Server, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  for (let lane = 0; lane < count; lane++) {
    const body = { email: `bench${lane}@example.com`, password, email_confirm: true };
    await send(`${own.url}/auth/v1`, { method: 'POST', path: '/admin/users', token: serviceToken(), body });
    sessions.push(await signIn(own, lane));
  }
  return sessions;
}

const getUser = (base: string, sessions: readonly Session[]) => async (lane: number) =>
  (await send(base, { method: 'GET', path: '/user', token: sessions[lane]?.access_token ?? '' })).status ===
  200;

const refresh = (base: string, sessions: readonly Session[]) => async (lane: number) => {
  const session = sessions[lane];
  if (session === undefined) return false;
  const body = { refresh_token: session.refresh_token };
  const { status, text } = await send(base, {
    method: 'POST',
    path: '/token?grant_type=refresh_token',
    body,
  });
  if (status === 200) session.refresh_token = (JSON.parse(text) as Session).refresh_token;
  return status === 200;
};

const lanes = 16;
const seconds = 3;
const rounds = 4;

async function compare(
  name: string,
  own: (lane: number) => Promise<boolean>,
  ceiling: (lane: number) => Promise<boolean>,
  target: number,
): Promise<void> {
  const [owns, ceilings]: [number[], number[]] = [[], []];
  let errors = 0;
  // The first requests measure the compiler: the more of a program there is, the longer.
  for (const job of [ceiling, own]) await repeat(lanes, seconds, job);
  for (let round = 0; round < rounds; round++) {
    const there = await repeat(lanes, seconds, ceiling);
    const here = await repeat(lanes, seconds, own);
    ceilings.push(there.perSecond);
    owns.push(here.perSecond);
    errors += here.errors + there.errors;
  }
  const [best, limit] = [Math.max(...owns), Math.max(...ceilings)];
  const share = `${((100 * best) / limit).toFixed(0)} %`;
  print(
    `${name}: ${best.toFixed(0)}/s, ceiling ${limit.toFixed(0)}/s: ${share}, target ${(100 * target).toFixed(0)} %`,
    errors,
  );
}

function print(line: string, errors = 0): void {
  process.stdout.write(`${line}${errors === 0 ? '' : ` (${errors} errors)`}\n`);
}

/** Passwords that this machine checks in a second, with every core at it. */
async function bcryptLimit(): Promise<number> {
  const stored = await hash(password, 10);
  return (await repeat(4, seconds, () => verify(password, stored))).perSecond;
}

async function benchDelays(own: Server): Promise<void> {
  const reads = {
    'read by key': () =>
      send(own.url, { method: 'GET', path: '/rest/v1/bench_items?id=eq.1', token: serviceToken() }),
    'small download': () =>
      send(own.url, {
        method: 'GET',
        path: '/storage/v1/object/public/bench/small.txt',
        token: serviceToken(),
      }),
  };
  for (const [name, read] of Object.entries(reads)) {
    const measured = () => repeat(1, seconds, async () => (await read()).status === 200);
    const alone = await measured();
    let isOver = false;
    const crowd = Array.from({ length: 50 }, async (_, lane) => {
      while (!isOver) await signIn(own, lane % lanes);
    });
    const beside = await measured();
    isOver = true;
    await Promise.all(crowd);
    const delay = (beside.p99 - alone.p99).toFixed(1);
    const p99s = `${alone.p99.toFixed(1)} ms alone, ${beside.p99.toFixed(1)} ms beside 50 sign-ins`;
    print(`${name}: p99 ${p99s}: ${delay} ms more, target 20`, alone.errors + beside.errors);
  }
}

async function prepare(own: Server, ownerUrl: string): Promise<void> {
  const owner = await connect(ownerUrl);
  await owner.exec(`create table public.bench_items (id int primary key, name text);
    insert into public.bench_items select n, 'item ' || n from generate_series(1, 1000) n;
    grant select on public.bench_items to service_role;
    notify pgrst, 'reload schema'`);
  await owner.end();
  const token = serviceToken();
  const bucket = { id: 'bench', name: 'bench', public: true };
  await send(own.url, { method: 'POST', path: '/storage/v1/bucket', token, body: bucket });
  await send(own.url, { method: 'POST', path: '/storage/v1/object/bench/small.txt', token, body: 'small' });
  while (
    (await send(own.url, { method: 'GET', path: '/rest/v1/bench_items?id=eq.1', token })).status !== 200
  ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function startInstance(ownerUrl: string, project: string): Promise<Server> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const ports = ['--port', String(port), '--admin-port', String(adminPort)];
  const options = ['--db-url', ownerUrl, '--project', project, '--no-inbox', '--log-level', 'error'];
  const isReady = async (url: string): Promise<boolean> => (await fetch(`${url}/auth/v1/health`)).ok;
  return startServer(
    ['node', 'dist/cli/main.js', 'start', ...ports, ...options],
    { JWT_SECRET: benchSecret, OWNBASE_SERVICE_POOL_SIZE: String(poolSize) },
    `http://127.0.0.1:${port}`,
    isReady,
  );
}

async function startAuthCeiling(databaseUrl: string): Promise<Server> {
  const port = await freePort();
  return startServer(
    ['node', '--import', 'tsx', 'bench/servers/auth-ceiling.ts'],
    { PORT: String(port), DATABASE_URL: databaseUrl, JWT_SECRET: benchSecret, POOL: String(poolSize) },
    `http://127.0.0.1:${port}`,
    async (url) => (await fetch(`${url}/user`)).status < 500,
  );
}

/** Runs the bench of auth on a Postgres of its own. */
export async function benchAuth(): Promise<void> {
  const cluster = await startTestCluster({ shared_buffers: '256MB' });
  const project = await mkdtemp(join(tmpdir(), 'ownbase-bench-'));
  const servers: Server[] = [];
  try {
    const own = await startInstance(cluster.ownerUrl, project);
    servers.push(own);
    const ceiling = await startAuthCeiling(cluster.ownerUrl);
    servers.push(ceiling);
    await prepare(own, cluster.ownerUrl);
    const sessions = await makeUsers(own, lanes);
    const base = `${own.url}/auth/v1`;
    await compare('getUser', getUser(base, sessions), getUser(ceiling.url, sessions), 0.55);
    await compare('refresh', refresh(base, sessions), refresh(ceiling.url, sessions), 0.55);
    const limit = await bcryptLimit();
    const signedIn = await repeat(
      lanes,
      seconds,
      async (lane) => (await signIn(own, lane)).access_token !== undefined,
    );
    const share = `${((100 * signedIn.perSecond) / limit).toFixed(0)} %`;
    print(
      `sign-in: ${signedIn.perSecond.toFixed(1)}/s, passwords alone ${limit.toFixed(1)}/s: ${share}, target 75 %`,
      signedIn.errors,
    );
    await benchDelays(own);
  } finally {
    for (const server of servers) await server.stop();
    await cluster.stop();
    await rm(project, { recursive: true, force: true });
    agent.destroy();
  }
}
