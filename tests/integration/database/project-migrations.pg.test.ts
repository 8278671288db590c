import { expect, test } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();

async function as<T>(login: 'postgres' | 'authenticator', work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(database.url(login));
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
type Client = Awaited<ReturnType<typeof connect>>;

const asPostgres = (script: string) => as('postgres', (client) => client.exec(script));

/** Runs a script as a role of the API, the way a request does. */
const asApiRole = <Row>(role: string, statement: ReturnType<typeof sql>) =>
  as('authenticator', async (client) => {
    await client.exec(`set role ${role}`);
    return client.query<Row>(statement);
  });

test('postgres is no superuser and bypasses row security', async () => {
  const [row] = await as('postgres', (client) =>
    client.query(sql`select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication
                     from pg_roles where rolname = current_user`),
  );
  expect(row).toEqual({
    rolsuper: false,
    rolbypassrls: true,
    rolcreatedb: true,
    rolcreaterole: true,
    rolreplication: true,
  });
});

test('a new table in public is within reach of the API roles', async () => {
  await asPostgres(
    'create table public.notes (id bigint generated always as identity primary key, body text)',
  );
  await asApiRole('anon', sql`insert into public.notes (body) values ('hello')`);
  expect(await asApiRole('service_role', sql`select body from public.notes`)).toEqual([{ body: 'hello' }]);
});

test('accounts may be referenced, watched by triggers and guarded by policies', async () => {
  await asPostgres(`
    create table public.profiles (id uuid primary key references auth.users on delete cascade, name text);
    create function public.handle_new_user() returns trigger language plpgsql security definer
      set search_path = '' as $$
    begin
      insert into public.profiles (id, name) values (new.id, new.raw_user_meta_data ->> 'name');
      return new;
    end $$;
    create trigger on_auth_user_created after insert on auth.users
      for each row execute function public.handle_new_user();
    create policy "users see themselves" on auth.users for select using (auth.uid() = id);
    create index on auth.users ((raw_user_meta_data ->> 'name'));
  `);
  const auth = await connect(database.url('supabase_auth_admin'));
  await auth.exec(`insert into auth.users (id, raw_user_meta_data)
    values ('00000000-0000-0000-0000-000000000001', '{"name": "ada"}')`);
  await auth.end();
  expect(await asApiRole('service_role', sql`select name from public.profiles`)).toEqual([{ name: 'ada' }]);
});

test('policies on objects, buckets and messages are accepted', async () => {
  await asPostgres(`
    insert into storage.buckets (id, name, public) values ('avatars', 'avatars', true);
    create policy "own folder" on storage.objects for all to authenticated
      using (bucket_id = 'avatars' and (storage.foldername(name))[1] = auth.uid()::text);
    create policy "buckets are known" on storage.buckets for select using (true);
    create policy "team channel" on realtime.messages for select to authenticated
      using (realtime.topic() = 'team');
    alter table storage.objects enable row level security;
    drop policy "buckets are known" on storage.buckets;
  `);
});

test('the API login takes in-database configuration', async () => {
  await asPostgres(`
    alter role authenticator set pgrst.db_aggregates_enabled = 'true';
    alter role authenticator reset pgrst.db_aggregates_enabled;
    alter role anon set statement_timeout = '3s';
    set session_replication_role = replica;
    notify pgrst, 'reload config';
  `);
});

test('the database takes settings of an app', async () => {
  await asPostgres(`do $$ begin
    execute format('alter database %I set app.settings.jwt_secret = %L', current_database(), 'secret');
  end $$`);
});

test('the publication takes tables, and may be made anew', async () => {
  await asPostgres(`
    create table public.streamed (id int primary key);
    alter publication supabase_realtime add table public.streamed;
    drop publication supabase_realtime;
    create publication supabase_realtime for table public.streamed;
  `);
});

test('schemas, roles, grants and trusted extensions may be made', async () => {
  await asPostgres(`
    create schema app;
    grant usage on schema app to anon, authenticated;
    alter default privileges in schema app grant select on tables to anon;
    create table app.things (id int);
    create extension if not exists citext with schema extensions;
    create extension if not exists "uuid-ossp" with schema extensions;
    create table app.keyed (id uuid primary key default uuid_generate_v4(), salt text default gen_salt('bf'));
    revoke execute on function extensions.uuid_generate_v4() from anon;
    do $$ begin create role app_${database.name} nologin; end $$;
    grant app_${database.name} to authenticator;
    drop role app_${database.name};
    drop schema public cascade;
    create schema public;
    grant usage on schema public to anon;
  `);
});

test('a function of postgres with definer rights reads past row security', async () => {
  await asPostgres(`
    create schema if not exists private;
    create table private.secrets (value text);
    alter table private.secrets enable row level security;
    insert into private.secrets values ('seen');
    create function public.peek() returns text language sql security definer
      as $$ select value from private.secrets $$;
    grant execute on function public.peek to anon;
  `);
  expect(await asApiRole('anon', sql`select public.peek() as peek`)).toEqual([{ peek: 'seen' }]);
});

test.each([
  'select * from auth.users',
  'select * from auth.refresh_tokens',
  'select * from ownbase.instance',
  'select * from ownbase.outbox',
  'select * from vault.decrypted_secrets',
  'select vault.create_secret($$a$$)',
  'select * from supabase_migrations.schema_migrations',
  'select * from storage.migrations',
  'select * from realtime.schema_migrations',
  'select * from pgbouncer.get_auth($$postgres$$)',
  'select cron.schedule($$* * * * *$$, $$select 1$$)',
  'insert into realtime.messages (topic, extension) values ($$t$$, $$broadcast$$)',
  "insert into storage.buckets (id, name) values ('b', 'b')",
])('anon is refused: %s', async (statement) => {
  await expect(
    as('authenticator', (client) => client.exec(`set role anon; ${statement}`)),
  ).rejects.toMatchObject({
    sqlstate: '42501',
  });
});

test('service_role is kept out of the private schema too', async () => {
  await expect(asApiRole('service_role', sql`select * from ownbase.outbox`)).rejects.toMatchObject({
    sqlstate: '42501',
  });
});

test('the API login has no rights of its own beyond putting work into the outbox', async () => {
  await as('authenticator', async (client) => {
    await client.exec(`insert into ownbase.outbox (kind, payload) values ('blob', '{}')`);
    await expect(client.exec('select * from ownbase.outbox')).rejects.toMatchObject({ sqlstate: '42501' });
    await expect(client.exec('select * from auth.users')).rejects.toMatchObject({ sqlstate: '42501' });
    await expect(client.exec('set role supabase_admin')).rejects.toMatchObject({ sqlstate: '42501' });
    await expect(client.exec('set role postgres')).rejects.toMatchObject({ sqlstate: '42501' });
  });
});

test('a change of tables notifies the API, one in the services’ schemas does not', async () => {
  const heard: string[] = [];
  const { default: pg } = await import('pg');
  const listener = new pg.Client({ connectionString: database.url('postgres') });
  await listener.connect();
  listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await listener.query('listen pgrst');
  await asPostgres(`create policy "quiet" on auth.sessions for select using (false)`);
  await asPostgres('create table public.loud (id int)');
  await asPostgres('drop table public.loud');
  await listener.query(`notify pgrst, 'end'`);
  await expect.poll(() => heard.at(-1)).toBe('end');
  await listener.end();
  expect(heard).toEqual(['reload schema', 'reload schema', 'end']);
});
