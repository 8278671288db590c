import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { startTestCluster } from '../../tests/support/cluster.ts';
import { freePorts } from '../../tests/support/ports.ts';
import { type Server, startServer } from '../processes.ts';

const secret = 'super-secret-jwt-token-with-at-least-32-characters-long';

/** A token of one of the bench's users. */
export function userToken(name: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { role: 'authenticated', name, sub: name, exp: 4_102_444_800 };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Rows that one user may see, rows that everybody may see by a policy, and rows without one. */
const tables = `
  create table public.own (id int primary key, owner text not null, at text not null);
  create table public.everybody (id int primary key, owner text not null, at text not null);
  create table public.open (id int primary key, owner text not null, at text not null);
  alter table public.own enable row level security;
  alter table public.everybody enable row level security;
  create policy own on public.own for select to authenticated using (owner = auth.jwt() ->> 'name');
  create policy others on public.own for insert to authenticated with check (true);
  create policy everybody on public.everybody for select to authenticated using (auth.jwt() ->> 'name' is not null);
  grant all on all tables in schema public to authenticated;
  alter publication supabase_realtime add table public.own, public.everybody, public.open;`;

/** The server under test, its database, and the yardstick. */
export type World = {
  readonly db: AdminClient;
  readonly own: Server;
  readonly bare: Server;
  /** Address of a socket of the server under test. */
  readonly socketUrl: string;
  readonly bareUrl: string;
  readonly restUrl: string;
  readonly ownerUrl: string;
  stop(): Promise<void>;
};

/** Starts everything. */
export async function startWorld(): Promise<World> {
  const cluster = await startTestCluster({ shared_buffers: '256MB' });
  const project = await mkdtemp(join(tmpdir(), 'ownbase-bench-'));
  await mkdir(join(project, 'supabase'), { recursive: true });
  await writeFile(
    join(project, 'supabase/config.toml'),
    '[storage]\nenabled = false\n[auth]\nenabled = false\n',
  );
  const [port = 0, adminPort = 0, inboxPort = 0, barePort = 0] = await freePorts(4);
  const own = await startServer(
    [
      ...['node', 'dist/cli/main.js', 'start', '--project', project, '--db-url', cluster.ownerUrl],
      ...['--port', String(port), '--admin-port', String(adminPort), '--inbox-port', String(inboxPort)],
    ],
    { JWT_SECRET: secret },
    `http://127.0.0.1:${port}`,
    async (url) => (await fetch(`${url}/health`)).ok,
  );
  const bare = await startServer(
    ['node', '--import', 'tsx', 'bench/servers/bare-ws.ts'],
    { PORT: String(barePort) },
    `http://127.0.0.1:${barePort}`,
    async (url) => (await fetch(url)).ok,
  );
  const db = await connect(cluster.ownerUrl);
  await db.exec(tables);
  await db.exec(`notify pgrst, 'reload schema'`);
  const key = userToken('anybody');
  return {
    ...{ db, own, bare, ownerUrl: cluster.ownerUrl },
    socketUrl: `ws://127.0.0.1:${port}/realtime/v1/websocket?vsn=2.0.0&apikey=${key}`,
    bareUrl: `ws://127.0.0.1:${barePort}/`,
    restUrl: `http://127.0.0.1:${port}/rest/v1`,
    async stop() {
      await db.end();
      await own.stop();
      await bare.stop();
      await cluster.stop();
      await rm(project, { recursive: true, force: true });
    },
  };
}
