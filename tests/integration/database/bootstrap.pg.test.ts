import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { applyBootstrap, BootstrapFailure } from '../../../src/platform/bootstrap/apply.ts';
import { testPasswords } from '../../support/cluster.ts';
import { createTestDatabase } from '../../support/database.ts';

const options = { passwords: testPasswords };
const database = await createTestDatabase();
const ownerUrl = database.url('supabase_admin');

test('a second start finds nothing to do', async () => {
  await applyBootstrap(ownerUrl, options);
  expect(await applyBootstrap(ownerUrl, options)).toEqual({
    applied: false,
    wasEmpty: false,
    version: 1,
    degraded: [],
  });
});

test('a changed option is applied', async () => {
  const report = await applyBootstrap(ownerUrl, {
    ...options,
    app: { jwtSecret: "it's", jwtExpirySeconds: 60 },
  });
  expect(report.applied).toBe(true);
  const client = await connect(database.url('postgres'));
  const [row] = await client.query(
    sql`select current_setting('app.settings.jwt_secret') as secret, current_setting('app.settings.jwt_exp') as exp`,
  );
  await client.end();
  expect(row).toEqual({ secret: "it's", exp: '60' });
});

test('what an owner changed stays changed when the bootstrap runs again', async () => {
  await database.owner.exec(`
    alter default privileges for role postgres in schema public revoke all on tables from anon;
    revoke all on storage.objects from anon;
    update ownbase.bootstrap set fingerprint = 'older';
  `);
  expect((await applyBootstrap(ownerUrl, options)).applied).toBe(true);
  const [row] = await database.owner.query(
    sql`select has_table_privilege('anon', 'storage.objects', 'select') as objects,
          exists (select from pg_default_acl, aclexplode(defaclacl) as a
                  where defaclrole = 'postgres'::regrole and defaclnamespace = 'public'::regnamespace
                    and defaclobjtype = 'r' and a.grantee = 'anon'::regrole) as tables`,
  );
  expect(row).toEqual({ objects: false, tables: false });
});

test('rows survive a bootstrap that runs again', async () => {
  await database.owner.exec(`
    insert into auth.users (id, email) values (gen_random_uuid(), 'kept@example.com');
    update ownbase.bootstrap set fingerprint = 'older';
  `);
  await applyBootstrap(ownerUrl, options);
  expect(await database.owner.query(sql`select email from auth.users`)).toEqual([
    { email: 'kept@example.com' },
  ]);
});

test('new tables are kept from the API when the project says so, and shown again when it changes its mind', async () => {
  const other = await createTestDatabase();
  const url = other.url('supabase_admin');
  const reachable = async (table: string) => {
    const postgres = await connect(other.url('postgres'));
    await postgres.exec(`create table public.${table} (id int)`);
    await postgres.end();
    const [row] = await other.owner.query(
      sql`select has_table_privilege('anon', ${`public.${table}`}, 'select') as anon,
            has_table_privilege('postgres', ${`public.${table}`}, 'select') as postgres`,
    );
    return row;
  };
  await applyBootstrap(url, { ...options, autoExposeNewTables: false });
  expect(await reachable('hidden')).toEqual({ anon: false, postgres: true });
  await applyBootstrap(url, { ...options, autoExposeNewTables: true });
  expect(await reachable('shown')).toEqual({ anon: true, postgres: true });
});

test('databases of one cluster may be bootstrapped at once', async () => {
  const names = Array.from({ length: 3 }, () => `boot_${randomBytes(4).toString('hex')}`);
  afterAll(async () => {
    const client = await connect(ownerUrl);
    for (const name of names) await client.exec(`drop database if exists ${name} with (force)`);
    await client.end();
  });
  for (const name of names) await database.owner.exec(`create database ${name} template template0`);
  const urls = names.map((name) => Object.assign(new URL(ownerUrl), { pathname: `/${name}` }).href);
  const reports = await Promise.all(
    urls.flatMap((url) => [url, url]).map((url) => applyBootstrap(url, options)),
  );
  expect(reports.map(({ degraded }) => degraded)).toEqual(reports.map(() => []));
});

test('a step that fails names itself and leaves the database as it was', async () => {
  const name = `broken_${randomBytes(4).toString('hex')}`;
  await database.owner.exec(`create database ${name} template template0`);
  const url = Object.assign(new URL(ownerUrl), { pathname: `/${name}` }).href;
  const client = await connect(url);
  await client.exec('create schema auth; create view auth.users as select 1 as id');
  const failure: unknown = await applyBootstrap(url, options).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(BootstrapFailure);
  expect(failure).toMatchObject({ step: '111_auth_accounts', sqlstate: '42501' });
  const [row] = await client.query(sql`select to_regnamespace('storage') is null as untouched`);
  await client.end();
  await database.owner.exec(`drop database ${name} with (force)`);
  expect(row).toEqual({ untouched: true });
});

test('days without a partition of messages get one at the next start', async () => {
  await database.owner.exec(`do $$ begin
    execute (select string_agg(format('drop table %s;', inhrelid::regclass), '')
             from pg_inherits where inhparent = 'realtime.messages'::regclass);
  end $$`);
  await applyBootstrap(ownerUrl, options);
  const report = await applyBootstrap(ownerUrl, options);
  const partitions = await database.owner.query(
    sql`select inhrelid from pg_inherits where inhparent = 'realtime.messages'::regclass`,
  );
  expect({ applied: report.applied, partitions: partitions.length }).toEqual({
    applied: false,
    partitions: 5,
  });
});
