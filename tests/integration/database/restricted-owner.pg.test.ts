import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { startEmbedded } from '../../../src/embedded/start.ts';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { applyBootstrap } from '../../../src/platform/bootstrap/apply.ts';
import { examine } from '../../../src/platform/doctor/doctor.ts';
import { testPasswords } from '../../support/cluster.ts';

// A managed server: its superuser is not ours, our login may make roles and databases.
const folder = await mkdtemp(join(tmpdir(), 'ownbase-test-'));
const server = await startEmbedded({ dataDir: join(folder, 'postgres'), durable: false });
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const provider = await connect(server.ownerUrl);
await provider.exec(`
  create role provider superuser login;
  create role postgres superuser login;
  create role customer login createdb createrole password 'customer';
`);
await provider.exec('create database app owner customer');
await provider.exec('set session authorization provider; alter role supabase_admin rename to managed_admin');
await provider.end();
const url = new URL(server.ownerUrl);
url.username = 'customer';
url.password = 'customer';
url.pathname = '/app';

test('without superuser the bootstrap does what the server allows and names what it lacks', async () => {
  const report = await applyBootstrap(url.href, { passwords: testPasswords });
  const lacking = report.degraded.map(({ feature }) => feature);
  expect(lacking).toEqual(
    expect.arrayContaining([
      'event triggers',
      'extension: pg_stat_statements',
      'role attribute: service_role bypassrls',
      'settings of roles',
    ]),
  );
  for (const whole of ['auth', 'storage', 'realtime', 'private schema', 'schemas', 'publications', 'vault']) {
    expect(lacking).not.toContain(whole);
  }
  expect(await applyBootstrap(url.href, { passwords: testPasswords })).toEqual({
    ...report,
    applied: false,
    wasEmpty: false,
  });
});

test('what migrations make as its owner is within the reach of the API', async () => {
  const owner = await connect(url.href);
  await owner.exec('create table public.made_by_customer (id int)');
  const rows = await owner.query<{ role: string; may: boolean }>(sql`
    select role, has_table_privilege(role, 'public.made_by_customer', 'select') as may
    from unnest(array['anon', 'authenticated', 'service_role']) as role`);
  await owner.end();
  expect(rows).toEqual([
    { role: 'anon', may: true },
    { role: 'authenticated', may: true },
    { role: 'service_role', may: true },
  ]);
});

test('the doctor has nothing to say about a publication that belongs to who migrates', async () => {
  const client = await connect(url.href);
  const report = await examine({ client, clock: systemClock, apiKeys: [] });
  await client.end();
  expect(report.find(({ id }) => id === 'publication')).toMatchObject({ status: 'ok' });
});

test('accounts and files can be kept there', async () => {
  const auth = new URL(url);
  auth.username = 'supabase_auth_admin';
  auth.password = testPasswords.supabaseAuthAdmin;
  const client = await connect(auth.href);
  await client.exec(`insert into auth.users (id, email) values (gen_random_uuid(), 'a@example.com')`);
  const rows = await client.query(sql`select email from auth.users`);
  await client.end();
  expect(rows).toEqual([{ email: 'a@example.com' }]);
});
