import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { type AdminClient, connect } from '../../../src/pg/connect.ts';
import { checks, examine } from '../../../src/platform/doctor/doctor.ts';
import { startTestCluster } from '../../support/cluster.ts';

// A server of its own, since the tests change roles; set up so that some checks find something by themselves.
const cluster = await startTestCluster({
  wal_level: 'replica',
  max_replication_slots: '2',
  max_wal_size: '32MB',
  min_wal_size: '32MB',
  max_connections: '20',
  superuser_reserved_connections: '2',
});
const client = await connect(cluster.ownerUrl);
afterAll(async () => {
  await client.end();
  await cluster.stop();
});

const patientOf = (client: AdminClient) => ({ client, clock: systemClock, apiKeys: [] });

async function verdictOf(client: AdminClient, id: string): Promise<string> {
  const check = checks.find((known) => known.id === id);
  if (check === undefined) throw new Error(`no check ${id}`);
  return (await check.run(patientOf(client))).status;
}

test('a bootstrapped database is healthy but for how its server is set up', async () => {
  const ill = (await examine(patientOf(client))).filter(({ status }) => status !== 'ok');
  expect(ill.map(({ id, status }) => [id, status])).toEqual([
    ['wal-level', 'fail'],
    ['connections', 'warn'],
  ]);
});

// Each breaks one thing inside a transaction that is rolled back.
const broken: readonly (readonly [id: string, status: 'warn' | 'fail', script: string])[] = [
  ['timezone', 'warn', `set local timezone = 'Europe/Paris'`],
  ['password-encryption', 'warn', 'set local password_encryption = md5'],
  ['roles', 'fail', 'alter role supabase_auth_admin rename to somebody_else'],
  ['memberships', 'fail', 'revoke anon from authenticator'],
  ['memberships', 'fail', 'revoke supabase_storage_admin from postgres'],
  [
    'membership-circles',
    'fail',
    'revoke supabase_storage_admin from postgres; grant postgres to supabase_storage_admin',
  ],
  [
    'membership-circles',
    'fail',
    `revoke supabase_auth_admin from postgres; create role between;
     grant postgres to between; grant between to supabase_auth_admin`,
  ],
  ['bypassrls', 'fail', 'alter role service_role nobypassrls'],
  ['api-login', 'fail', 'alter role authenticator inherit'],
  ['api-login', 'fail', 'alter role authenticator superuser'],
  ['statement-timeouts', 'warn', 'alter role anon reset statement_timeout'],
  ['private-data', 'fail', 'grant select on auth.users to anon'],
  ['bootstrap', 'fail', 'update ownbase.bootstrap set version = 0'],
  ['bootstrap', 'fail', 'update ownbase.bootstrap set version = 999'],
  ['bootstrap', 'warn', `update ownbase.bootstrap set degraded = '[{"feature": "x", "reason": "y"}]'`],
  ['bootstrap', 'fail', 'drop table ownbase.bootstrap'],
  ['schema-versions', 'fail', `delete from auth.schema_migrations where version = '20260625000000'`],
  ['extensions', 'fail', 'drop extension "uuid-ossp" cascade'],
  [
    'stand-ins',
    'warn',
    `create view pg_temp.pg_available_extensions as select 'pgmq'::name as name;
     set local search_path = pg_temp, pg_catalog`,
  ],
  ['publication', 'warn', 'alter publication supabase_realtime owner to supabase_admin'],
  ['publication', 'fail', 'drop publication supabase_realtime'],
  ['event-triggers', 'warn', 'alter event trigger pgrst_ddl_watch disable'],
  [
    'message-partitions',
    'fail',
    `do $$ begin
     execute (select string_agg(format('drop table %s;', inhrelid::regclass), '')
              from pg_inherits where inhparent = 'realtime.messages'::regclass); end $$`,
  ],
  ['outbox', 'warn', `insert into ownbase.outbox (kind, payload, attempts) values ('blob', '{}', 10)`],
];

test.each(broken)('%s is judged %s after: %s', async (id, status, script) => {
  await client.exec('begin');
  try {
    await client.exec(script);
    expect(await verdictOf(client, id)).toBe(status);
  } finally {
    await client.exec('rollback');
  }
});

test('replication-capacity is judged fail when every slot is taken', async () => {
  await client.exec(
    `select pg_create_physical_replication_slot('one'), pg_create_physical_replication_slot('two')`,
  );
  expect(await verdictOf(client, 'replication-capacity')).toBe('fail');
  await client.exec(`select pg_drop_replication_slot('one')`);
});

test('abandoned-slots are judged warn when they hold back more than the server plans for', async () => {
  await client.exec(`select pg_create_physical_replication_slot('kept', true)`);
  for (let file = 0; file < 6; file++) {
    await client.exec(`select pg_logical_emit_message(false, 'x', 'x')`);
    await client.exec('select pg_switch_wal()');
  }
  expect(await verdictOf(client, 'abandoned-slots')).toBe('warn');
});

test('encoding is judged fail in a database of another encoding', async () => {
  await client.exec(
    `create database latin template template0 encoding 'LATIN1' locale_provider libc locale 'C'`,
  );
  const latin = await connect(Object.assign(new URL(cluster.ownerUrl), { pathname: '/latin' }).href);
  expect(await verdictOf(latin, 'encoding')).toBe('fail');
  expect(await verdictOf(latin, 'bootstrap')).toBe('fail');
  await latin.end();
});
