import { describe, expect, it } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createProject } from '../../support/project.ts';
import { apply, failureOf } from './support.ts';

const migration = (text: string) => createProject({ 'supabase/migrations/1_a.sql': text });

describe('extensions in migrations', () => {
  it('that the server lacks stop the project before anything is applied', async () => {
    const database = await createTestDatabase();
    const folder = await createProject({
      'supabase/migrations/1_a.sql': 'create table t ();',
      'supabase/migrations/2_b.sql': 'create extension no_such_extension;',
    });
    const error = await failureOf(database, folder);
    expect(error.code).toBe('missing_extensions');
    expect(error.message).toContain('no_such_extension (supabase/migrations/2_b.sql)');
    expect(await database.owner.query(sql`select to_regclass('public.t') as t`)).toEqual([{ t: null }]);
  });

  it('that the server lacks are skipped on demand, with what depends on them', async () => {
    const database = await createTestDatabase();
    const folder = await migration(`
      create extension if not exists no_such_extension with schema extensions;
      create table plain (id int);
      create table embeddings (id int, vector no_such_type(3));
      alter table embeddings enable row level security;
      create index on embeddings using no_such_method (vector);
      create policy p on embeddings for select using (true);
      create view all_embeddings as select * from embeddings;
      grant select on all_embeddings to anon;
      create index on plain (id);`);
    const report = await apply(database, folder, { skipMissingExtensions: true, seed: 'never' });
    expect(report.skippedExtensions).toEqual(['no_such_extension']);
    expect(report.notices).toHaveLength(7);
    const rows = await database.owner.query(
      sql`select relname::text from pg_class where relnamespace = 'public'::regnamespace order by 1`,
    );
    expect(rows).toEqual([{ relname: 'plain' }, { relname: 'plain_id_idx' }]);
  });

  it('that the server lacks do not hide another mistake when they are skipped', async () => {
    const database = await createTestDatabase();
    const folder = await migration('create extension no_such_extension; select * from misspelt;');
    const error = await failureOf(database, folder, { skipMissingExtensions: true });
    expect(error.message).toContain('relation "misspelt" does not exist');
  });

  it('of the platform are absorbed', async () => {
    const database = await createTestDatabase();
    const names = ['pg_cron', 'pg_net', 'http', 'supabase_vault', 'pgmq', 'pgjwt', 'pg_graphql', 'hypopg'];
    const text = names
      .map(
        (
          name,
        ) => `create extension if not exists "${name}" with schema extensions; alter extension ${name} update;
        comment on extension ${name} is 'x'; drop extension if exists ${name};`,
      )
      .join('\n');
    expect(await apply(database, await migration(text))).toMatchObject({ applied: [{ version: '1' }] });
  });

  it('that are not trusted are made for postgres, in the schema that it would get', async () => {
    const database = await createTestDatabase();
    await apply(
      database,
      await migration(`
        create extension dblink;
        create extension postgres_fdw with schema extensions;
        create server other foreign data wrapper postgres_fdw options (host 'nowhere');
        alter extension dblink set schema extensions;
        create extension if not exists "uuid-ossp";
        create extension earthdistance cascade;
        drop extension earthdistance;
        drop extension if exists nothing_like_it;`),
    );
    const rows = await database.owner.query(
      sql`select extname::text, extnamespace::regnamespace::text as schema from pg_extension
          where extname in ('dblink', 'postgres_fdw', 'cube', 'earthdistance') order by 1`,
    );
    expect(rows).toEqual([
      { extname: 'cube', schema: 'public' },
      { extname: 'dblink', schema: 'extensions' },
      { extname: 'postgres_fdw', schema: 'extensions' },
    ]);
  });

  it('beyond the list are refused, as are the functions to anybody but postgres', async () => {
    const database = await createTestDatabase();
    const error = await failureOf(database, await migration('create extension plperlu;'));
    expect(error).toMatchObject({ sqlstate: '42501' });
    const client = await connect(database.url('authenticator'));
    await expect(
      client.query(sql`select ownbase.create_extension('dblink', null, 'public', null, false, false)`),
    ).rejects.toMatchObject({ sqlstate: '42501' });
    await client.end();
  });
});

describe('a dumped schema', () => {
  it('is applied although it names roles and settings of the platform', async () => {
    const database = await createTestDatabase();
    const folder = await migration(String.raw`--
-- PostgreSQL database dump
--

\restrict Q2Fa9

SET statement_timeout = 0;
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS "pgsodium";
CREATE EXTENSION IF NOT EXISTS "pg_graphql" WITH SCHEMA "graphql";
CREATE EXTENSION IF NOT EXISTS "pgcrypto" WITH SCHEMA "extensions";
COMMENT ON EXTENSION "pgcrypto" IS 'cryptographic functions';
COMMENT ON SCHEMA "public" IS 'standard public schema';
ALTER SCHEMA "public" OWNER TO "pg_database_owner";
CREATE FUNCTION "public"."answer"() RETURNS integer LANGUAGE "sql" AS $$ select 42; $$;
ALTER FUNCTION "public"."answer"() OWNER TO "postgres";
CREATE TABLE "public"."films" ("id" integer);
ALTER TABLE "public"."films" OWNER TO "supabase_admin";
GRANT USAGE ON SCHEMA "public" TO "pgsodium_keyiduser";
ALTER DEFAULT PRIVILEGES FOR ROLE "supabase_admin" IN SCHEMA "public" GRANT ALL ON TABLES TO "anon";
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "public" GRANT ALL ON TABLES TO "anon";
RESET ALL;

\unrestrict Q2Fa9
`);
    const { applied } = await apply(database, folder);
    expect(applied).toHaveLength(1);
    expect(await database.owner.query(sql`select public.answer()`)).toEqual([{ answer: 42 }]);
  });
});
