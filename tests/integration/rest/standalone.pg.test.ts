import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdminClient, connect } from '../../../src/pg/connect.ts';
import type { ConfigSources } from '../../../src/rest/config/load.ts';
import { askReadiness, describeConfig, describeSchema } from '../../../src/rest/standalone/examine.ts';
import { type RestServer, startRestServer } from '../../../src/rest/standalone/start.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { freePorts } from '../../support/ports.ts';

const fixture = `
  create schema api;
  grant usage on schema api to anon, authenticated;
  create table api.items (id int primary key, name text);
  insert into api.items select i, 'item ' || i from generate_series(1, 5) i;
  grant select on api.items to anon;
  create function api.settings() returns json language sql stable as $$
    select json_build_object('role', current_user, 'name', current_setting('app.settings.name', true),
      'path', current_setting('search_path'), 'timeout', current_setting('statement_timeout'))
  $$;
  grant execute on function api.settings() to anon, authenticated;
`;

const secret = 'a secret of at least thirty-two bytes';

let database: TestDatabase;
let postgres: AdminClient;
let directory: string;
const servers: RestServer[] = [];

beforeAll(async () => {
  database = await createTestDatabase(fixture);
  postgres = await connect(database.url('supabase_admin'));
  directory = await mkdtemp(join(tmpdir(), 'ownbase-rest-'));
});

beforeEach(() => {
  return async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await postgres.exec(`alter role authenticator in database "${database.name}" reset all`);
  };
});

afterAll(async () => {
  await postgres.end();
  await rm(directory, { recursive: true });
});

const sources = (env: Record<string, string>, file: string | null = null): ConfigSources => ({
  file,
  env: {
    PGRST_DB_URI: database.url('authenticator'),
    PGRST_DB_SCHEMAS: 'api',
    PGRST_DB_ANON_ROLE: 'anon',
    PGRST_SERVER_HOST: '127.0.0.1',
    PGRST_SERVER_PORT: '0',
    PGRST_JWT_SECRET: secret,
    ...env,
  },
});

const start = async (
  env: Record<string, string> = {},
  file: string | null = null,
  onGiveUp: (failure: unknown) => void = () => {},
): Promise<RestServer> => {
  const server = await startRestServer({ sources: sources(env, file), observer: () => () => {}, onGiveUp });
  servers.push(server);
  return server;
};

/** Asks again until the condition holds; the test's own time limit ends a condition that never does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

const get = (server: RestServer, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { headers });

const json = async (server: RestServer, path: string, headers?: Record<string, string>): Promise<unknown> =>
  (await get(server, path, headers)).json();

const inDatabase = (setting: string, value: string): Promise<void> =>
  postgres.exec(`alter role authenticator in database "${database.name}" set ${setting} = '${value}'`);

describe('the REST service alone', () => {
  it('answers at the root and behind the prefix of a gateway', async () => {
    const server = await start();
    expect(await json(server, '/items?id=eq.1')).toEqual([{ id: 1, name: 'item 1' }]);
    expect(await json(server, '/rest/v1/items?id=eq.1')).toEqual([{ id: 1, name: 'item 1' }]);
    expect((await get(server, '/rest/v1/')).headers.get('content-type')).toContain(
      'application/openapi+json',
    );
    expect((await get(server, '/items')).headers.get('server')).toBe('postgrest/14.17');
  });

  it('reads a configuration file, which the environment overrides', async () => {
    const file = join(directory, 'postgrest.conf');
    await writeFile(file, 'app.settings.name = "from file"\ndb-max-rows = 2\ndb-schemas = "nowhere"');
    const server = await start({}, file);
    expect(await json(server, '/items')).toHaveLength(2);
    expect(await json(server, '/rpc/settings')).toMatchObject({ name: 'from file', role: 'anon' });
  });

  it('names all that is wrong with its configuration', async () => {
    await expect(start({ PGRST_LOG_LEVEL: 'loud', PGRST_DB_TX_END: 'maybe' })).rejects.toThrow(
      'Invalid transaction termination. Check your configuration.\nInvalid logging level. Check your configuration.',
    );
    await expect(start({ PGRST_JWT_SECRET: 'short' })).rejects.toThrow('at least 32 characters');
  });

  it('listens on a socket with the mode that is asked for', async () => {
    const path = join(directory, 'rest.sock');
    await start({ PGRST_SERVER_UNIX_SOCKET: path, PGRST_SERVER_UNIX_SOCKET_MODE: '600' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const status = await new Promise((resolve, reject) => {
      request({ socketPath: path, path: '/items' }, (answer) => resolve(answer.statusCode))
        .once('error', reject)
        .end();
    });
    expect([200, 503]).toContain(status);
  });

  it('acts as the role of a token', async () => {
    const server = await start();
    const token = await new SignJWT({ role: 'authenticated' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    const headers = { authorization: `Bearer ${token}` };
    expect(await json(server, '/rpc/settings', headers)).toMatchObject({ role: 'authenticated' });
    expect((await get(server, '/items', headers)).status).toBe(403);
  });

  it('repeats the trace header, and answers browsers', async () => {
    const server = await start({ PGRST_SERVER_TRACE_HEADER: 'X-Request-Id' });
    const answer = await get(server, '/items', { 'x-request-id': 'abc', origin: 'http://example.com' });
    expect(answer.headers.get('x-request-id')).toBe('abc');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-expose-headers')).toContain('Content-Range');
    const preflight = await fetch(`http://127.0.0.1:${server.port}/items`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'Foo,Bar',
      },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get('access-control-allow-headers')).toBe(
      'Authorization, Foo, Bar, Accept, Accept-Language, Content-Language',
    );
  });

  it('works without prepared statements', async () => {
    const server = await start({ PGRST_DB_PREPARED_STATEMENTS: 'false' });
    expect(await json(server, '/items?id=eq.2')).toEqual([{ id: 2, name: 'item 2' }]);
  });
});

describe('its secret', () => {
  it('may be any bytes of a file, the last newline apart', async () => {
    const file = join(directory, 'secret');
    const bytes = Buffer.from(Array.from({ length: 40 }, (_, i) => 255 - i));
    await writeFile(file, Buffer.concat([bytes, Buffer.from('\n')]));
    const server = await start({ PGRST_JWT_SECRET: `@${file}` });
    const token = await new SignJWT({ role: 'authenticated' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(bytes);
    const headers = { authorization: `Bearer ${token}` };
    expect(await json(server, '/rpc/settings', headers)).toMatchObject({ role: 'authenticated' });
  });
});

describe('its database', () => {
  it('may be the second of two servers', async () => {
    const [dead = 0] = await freePorts(1);
    const { username, password, host, pathname } = new URL(database.url('authenticator'));
    const uri = `postgresql://${username}:${password}@127.0.0.1:${dead},${host}${pathname}`;
    const server = await start({ PGRST_DB_URI: uri });
    await until(async () => (await get(server, '/items')).status === 200);
    expect(await json(server, '/items?id=eq.1')).toEqual([{ id: 1, name: 'item 1' }]);
  });

  it('is given up at once when it refuses the password', async () => {
    const url = new URL(database.url('authenticator'));
    url.password = 'wrong';
    const givenUp = new Promise((resolve) => {
      void start({ PGRST_DB_URI: url.href }, null, resolve);
    });
    expect(await givenUp).toMatchObject({ sqlstate: '28P01' });
  });

  it('sees sessions with the name of PostgREST, unless the connection string has another', async () => {
    await postgres.exec(`
      create function api.session() returns text language sql stable as $$ select current_setting('application_name') $$;
      grant execute on function api.session() to anon;`);
    expect(await json(await start(), '/rpc/session')).toBe('PostgREST 14.17');
    const named = await start({ PGRST_DB_URI: `${database.url('authenticator')}?application_name=mine` });
    await until(async () => (await get(named, '/items')).status === 200);
    expect(await json(named, '/rpc/session')).toBe('mine');
  });
});

describe('what can be asked without serving', () => {
  it('is the configuration, with settings in the database', async () => {
    await inDatabase('pgrst.db_max_rows', '7');
    const text = await describeConfig(sources({}), () => {});
    expect(text).toContain('db-max-rows = 7\n');
    expect(text).toContain('db-schemas = "api"\n');
  });

  it('is the configuration alone when the database is away', async () => {
    const [dead = 0] = await freePorts(1);
    const failures: string[] = [];
    const away = sources({ PGRST_DB_URI: `postgresql://127.0.0.1:${dead}/nowhere`, PGRST_DB_MAX_ROWS: '9' });
    const text = await describeConfig(away, ({ kind }) => failures.push(kind));
    expect(text).toContain('db-max-rows = 9\n');
    expect(failures).toEqual(['connection']);
  });

  it('is the schema cache', async () => {
    const document = JSON.parse(await describeSchema(sources({}), () => {}));
    expect(document.dbTables).toContainEqual([
      { qiName: 'items', qiSchema: 'api' },
      expect.objectContaining({ tableName: 'items', tablePKCols: ['id'], tableInsertable: true }),
    ]);
  });

  it('is whether the server that runs is ready', async () => {
    const [port = 0, unused = 0] = await freePorts(2);
    await start({ PGRST_ADMIN_SERVER_PORT: String(port) });
    const ask = (adminPort: number | string, host = '127.0.0.1') =>
      askReadiness(sources({ PGRST_ADMIN_SERVER_PORT: String(adminPort), PGRST_SERVER_HOST: host }));
    await until(async () => (await ask(port)).isReady);
    expect(await ask(port)).toEqual({ isReady: true, text: `OK: http://127.0.0.1:${port}/ready` });
    expect((await ask(unused)).text).toBe(`ERROR: connection refused to http://127.0.0.1:${unused}/ready`);
    expect((await ask('')).text).toContain('Admin server is not running');
    expect((await ask(port, '*4')).text).toContain('configured as "*4"');
  });
});

describe('settings in the database', () => {
  it('of the login role itself count after the next reload of the schema', async () => {
    const server = await start();
    await inDatabase('app.settings.name', 'of the role');
    await server.reloadSchema();
    expect(await json(server, '/rpc/settings')).toMatchObject({ name: 'of the role' });
  });

  it('are taken at start and again at NOTIFY pgrst, reload config', async () => {
    await inDatabase('pgrst.db_max_rows', '1');
    const server = await start();
    expect(await json(server, '/items')).toHaveLength(1);
    await inDatabase('pgrst.db_max_rows', '3');
    await postgres.exec(`notify pgrst, 'reload config'`);
    await until(async () => ((await json(server, '/items')) as unknown[]).length === 3);
  });

  it('that are invalid leave the configuration as it was', async () => {
    const server = await start();
    await inDatabase('pgrst.db_tx_end', 'never');
    await server.reloadConfig();
    expect(await json(server, '/items')).toHaveLength(5);
  });

  it('may come from a function', async () => {
    await postgres.exec(`
      create or replace function api.pre_config() returns void language sql as $$
        select set_config('pgrst.db_max_rows', '4', true)
      $$;
      grant usage on schema api to authenticator;
      grant execute on function api.pre_config() to authenticator;`);
    const server = await start({ PGRST_DB_PRE_CONFIG: 'api.pre_config' });
    expect(await json(server, '/items')).toHaveLength(4);
  });

  it('are ignored when they are turned off', async () => {
    await inDatabase('pgrst.db_max_rows', '1');
    const server = await start({ PGRST_DB_CONFIG: 'false' });
    expect(await json(server, '/items')).toHaveLength(5);
  });
});

describe('the schema cache', () => {
  it('is waited for by the first requests', async () => {
    const server = await start();
    const answers = await Promise.all([get(server, '/items'), get(server, '/items?id=eq.1')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('is missed with 503 when the first attempt to load it failed', async () => {
    const [port = 0] = await freePorts(1);
    const server = await start({ PGRST_DB_URI: `postgresql://nobody@127.0.0.1:${port}/none` });
    const answer = await get(server, '/items');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(await answer.json()).toMatchObject({ code: 'PGRST002' });
  });

  it('is loaded again at NOTIFY pgrst, while requests are served', async () => {
    const server = await start();
    expect((await get(server, '/later')).status).toBe(404);
    await postgres.exec(`create table api.later (id int); grant select on api.later to anon; notify pgrst;`);
    const statuses = new Set<number>();
    await until(async () => {
      statuses.add((await get(server, '/items')).status);
      return (await get(server, '/later')).status === 200;
    });
    expect([...statuses]).toEqual([200]);
  });

  it('is loaded again after the listening connection was lost', async () => {
    const server = await start();
    await postgres.exec(`create table api.after_loss (id int); grant select on api.after_loss to anon;`);
    await postgres.exec(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query = 'LISTEN "pgrst"'`);
    await until(async () => (await get(server, '/after_loss')).status === 200);
  });
});

describe('the admin listener', () => {
  it('tells whether the service is live and ready, and its metrics', async () => {
    const server = await start({ PGRST_ADMIN_SERVER_PORT: '0', PGRST_SERVER_PORT: '0' }).catch(() => null);
    expect(server).toBeNull();
    const [port = 0] = await freePorts(1);
    const main = await start({ PGRST_ADMIN_SERVER_PORT: String(port) });
    const admin = (path: string) => fetch(`http://127.0.0.1:${main.adminPort}${path}`);
    expect((await admin('/live')).status).toBe(200);
    await until(async () => (await admin('/ready')).status === 200);
    const metrics = await (await admin('/metrics')).text();
    expect(metrics).toContain('pgrst_schema_cache_loads_total{status="SUCCESS"} 1');
    expect(metrics).toContain('pgrst_db_pool_max 10');
    expect((await admin('/nowhere')).status).toBe(404);
  });
});
