import { expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { emptyDatabase } from '../../../src/platform/migrations/reset.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createProject } from '../../support/project.ts';
import { apply } from './support.ts';

const migration = `
  create schema app;
  create table app.things (id int);
  create extension citext;
  create type mood as enum ('good');
  create domain short as text check (length(value) < 9);
  create table posts (id bigint generated always as identity primary key, owner uuid references auth.users, mood mood,
    name citext, s short);
  create table parts (id serial) partition by range (id);
  create view shown as select * from posts;
  create materialized view counted as select count(*) from posts;
  create sequence numbers;
  create function greet(who text default 'you', out said text) language sql as $$ select 'hi ' || who $$;
  create aggregate total (int) (sfunc = int4pl, stype = int);
  create function on_signup() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger on_signup after insert on auth.users for each row execute function on_signup();
  create policy own on storage.objects for select using (true);
  create publication mine for table posts;
  alter publication supabase_realtime add table posts;
  insert into auth.users (id, email) values (gen_random_uuid(), 'a@example.com');
  insert into storage.buckets (id, name) values ('b', 'b');
  select vault.create_secret('s', 'n');
  select cron.schedule('job', '* * * * *', 'select 1');
  select pgmq.create('queue');
`;

it('a reset drops what a project made and leaves a database that takes the project again', async () => {
  const database = await createTestDatabase();
  const folder = await createProject({ 'supabase/migrations/1_a.sql': migration });
  const platform = sql`
    select n.nspname::text, c.relname::text, c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^(pg_|information_schema)' and n.nspname <> 'ownbase' and c.relname !~ '^messages_'
    order by 1, 2`;
  const before = await database.owner.query(platform);
  for (const _ of ['first', 'second']) {
    await apply(database, folder, { seed: 'never' });
    await emptyDatabase(database.url('supabase_admin'));
    expect(await database.owner.query(platform)).toEqual(before);
    const [left] = await database.owner.query(sql`
      select (select count(*)::int from auth.users) as users, (select count(*)::int from storage.buckets) as buckets,
        (select count(*)::int from vault.secrets) as secrets, (select count(*)::int from cron.job) as jobs,
        (select count(*)::int from pg_policies where schemaname = 'storage') as policies,
        (select count(*)::int from pg_publication where pubname = 'mine') as publications,
        (select count(*)::int from pg_trigger where tgname = 'on_signup') as triggers,
        (select count(*)::int from pg_proc where pronamespace = 'public'::regnamespace) as functions,
        (select count(*)::int from pg_type where typnamespace = 'public'::regnamespace) as types`);
    expect(new Set(Object.values(left ?? {}))).toEqual(new Set([0]));
  }
  expect(await apply(database, folder, { seed: 'never' })).toMatchObject({ applied: [{ version: '1' }] });
});
