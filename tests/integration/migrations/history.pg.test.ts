import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createProject, writeProject } from '../../support/project.ts';
import { apply, failureOf } from './support.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const history = sql`select version, name, statements from supabase_migrations.schema_migrations order by version`;

describe('applying a project', async () => {
  const seed = "insert into films values ('a'); -- done\n";
  const database = await createTestDatabase();
  const project = async (): Promise<string> =>
    createProject({
      'supabase/migrations/20240101000000_films.sql':
        '-- films\ncreate table films (name text);\n\ncreate index on films (name);\n',
      'supabase/migrations/20240102000000_more things.sql': 'alter table films add column year int',
      'supabase/migrations/notes.sql': 'this is no migration',
      'supabase/seed.sql': seed,
    });

  it('records versions, names, statements and seeds as the Supabase CLI does', async () => {
    const { applied, seeded, notices } = await apply(database, await project());
    expect(applied.map(({ version }) => version)).toEqual(['20240101000000', '20240102000000']);
    expect(seeded).toHaveLength(1);
    expect(notices).toEqual([
      'Skipping migration notes.sql... (file name must match pattern "<timestamp>_name.sql")',
    ]);
    expect(await database.owner.query(history)).toEqual([
      {
        version: '20240101000000',
        name: 'films',
        statements: ['-- films\ncreate table films (name text)', 'create index on films (name)'],
      },
      {
        version: '20240102000000',
        name: 'more things',
        statements: ['alter table films add column year int'],
      },
    ]);
    expect(await database.owner.query(sql`select path, hash from supabase_migrations.seed_files`)).toEqual([
      { path: 'supabase/seed.sql', hash: sha256(seed) },
    ]);
  });

  it('a second time does nothing', async () => {
    expect(await apply(database, await project())).toMatchObject({ applied: [], seeded: [] });
    expect(await database.owner.query(sql`select name from films`)).toEqual([{ name: 'a' }]);
  });

  it('makes its tables as postgres, reachable by the API roles', async () => {
    const rows = await database.owner.query(
      sql`select tableowner, has_table_privilege('anon', 'public.films', 'select') as reachable
          from pg_tables where tablename = 'films'`,
    );
    expect(rows).toEqual([{ tableowner: 'postgres', reachable: true }]);
  });

  it('takes a changed seed file for what it is by keeping its hash, without running it', async () => {
    const folder = await project();
    await writeProject(folder, { 'supabase/seed.sql': "insert into films values ('b');" });
    await apply(database, folder, { seed: 'always' });
    expect(await database.owner.query(sql`select name from films`)).toEqual([{ name: 'a' }]);
    expect(await database.owner.query(sql`select hash from supabase_migrations.seed_files`)).toEqual([
      { hash: sha256("insert into films values ('b');") },
    ]);
  });

  it("refuses a file older than the newest applied one, in upstream's words", async () => {
    const folder = await project();
    await writeProject(folder, { 'supabase/migrations/20240101120000_late.sql': 'create table late ()' });
    const error = await failureOf(database, folder);
    expect(error.code).toBe('out_of_order');
    expect(error.message).toContain(
      'Found local migration files to be inserted before the last migration on remote database.',
    );
    expect(error.message).toContain('supabase/migrations/20240101120000_late.sql');
    expect(await apply(database, folder, { onMismatch: 'report' })).toMatchObject({ applied: [] });
    expect(await apply(database, folder, { includeAll: true })).toMatchObject({
      applied: [{ version: '20240101120000' }],
    });
  });

  it('refuses a history with a version that has no file', async () => {
    const error = await failureOf(database, await project());
    expect(error.code).toBe('missing_locally');
    expect(error.message).toContain('Remote migration versions not found in local migrations directory.');
    expect(error.message).toContain('20240101120000');
  });
});

describe('a fresh database', async () => {
  const database = await createTestDatabase();

  it('gets vault secrets, roles, migrations and the seeds that globs name, in this order', async () => {
    const folder = await createProject({
      'supabase/roles.sql': 'create role migration_test_reader nologin;',
      'supabase/migrations/1_a.sql':
        "create table log (line text); grant select on log to migration_test_reader; insert into log select decrypted_secret from vault.decrypted_secrets where name = 'token';",
      'supabase/seeds/b.sql': "insert into log values ('b');",
      'supabase/seeds/a.sql': "insert into log values ('a');",
      'supabase/first.sql': "insert into log values ('first');",
    });
    const events: string[] = [];
    await apply(database, folder, {
      vault: { token: 's3cret' },
      seedPaths: ['./first.sql', './seeds/*.sql', './first.sql', './none/*.sql'],
      onEvent: (event) => {
        if (event.kind === 'applying') events.push(`${event.done}/${event.total} ${event.path}`);
        else events.push(event.kind === 'notice' ? event.message : event.kind);
      },
    });
    expect(events).toEqual([
      'no files matched pattern: supabase/none/*.sql',
      '0/5 supabase/roles.sql',
      '1/5 supabase/migrations/1_a.sql',
      '2/5 supabase/first.sql',
      '3/5 supabase/seeds/a.sql',
      '4/5 supabase/seeds/b.sql',
      'ended',
    ]);
    expect(await database.owner.query(sql`select line from log`)).toEqual([
      { line: 's3cret' },
      { line: 'first' },
      { line: 'a' },
      { line: 'b' },
    ]);
    await database.owner.exec('drop owned by migration_test_reader; drop role migration_test_reader');
  });

  it('gets objects of postgres whoever logs in', async () => {
    const other = await createTestDatabase();
    const folder = await createProject({
      'supabase/migrations/1_a.sql': 'create table mine (); create extension dblink;',
    });
    await apply(other, folder, { url: other.url('supabase_admin') });
    const rows = await other.owner.query(
      sql`select tableowner::text from pg_tables where tablename = 'mine'`,
    );
    expect(rows).toEqual([{ tableowner: 'postgres' }]);
  });

  it('is applied to once when two starts meet', async () => {
    const folder = await createProject({
      'supabase/migrations/1_a.sql': 'select 1',
      'supabase/migrations/2_b.sql': 'create table once (); select pg_sleep(0.05)',
    });
    const reports = await Promise.all([apply(database, folder), apply(database, folder)]);
    expect(reports.map(({ applied }) => applied.length).sort()).toEqual([0, 1]);
  });
});
