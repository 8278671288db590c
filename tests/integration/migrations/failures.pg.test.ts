import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createProject } from '../../support/project.ts';
import { apply, failureOf } from './support.ts';

async function tables(database: TestDatabase): Promise<string[]> {
  const rows = await database.owner.query<{ name: string }>(
    sql`select tablename::text as name from pg_tables where schemaname = 'public' order by 1`,
  );
  return rows.map(({ name }) => name);
}

describe('a failing migration', async () => {
  const database = await createTestDatabase();

  it('is named with line, statement and caret, and leaves nothing of its file', async () => {
    const folder = await createProject({
      'supabase/migrations/1_ok.sql': 'create table kept ()',
      'supabase/migrations/2_bad.sql': 'create table gone ();\n\nalter table kept\n  add column a nope;\n',
    });
    const error = await failureOf(database, folder);
    expect(error.message).toBe(
      [
        'supabase/migrations/2_bad.sql:4',
        'ERROR: type "nope" does not exist (SQLSTATE 42704)',
        'Hint: the type may be in a schema that is not in the search_path; name it with its schema, e.g. extensions.nope.',
        'At statement: 1',
        'alter table kept',
        '  add column a nope',
        '               ^',
      ].join('\n'),
    );
    expect(await tables(database)).toEqual(['kept']);
    expect(
      await database.owner.query(sql`select version from supabase_migrations.schema_migrations`),
    ).toEqual([{ version: '1' }]);
  });

  it('shows detail and context, and no caret, for an error without a place', async () => {
    const folder = await createProject({
      'supabase/migrations/1_ok.sql': '',
      'supabase/migrations/2_bad.sql':
        "do $$ begin raise 'no' using detail = 'because', errcode = 'P0009'; end $$",
    });
    const { message } = await failureOf(database, folder);
    expect(message).toContain(
      'ERROR: no (SQLSTATE P0009)\nbecause\nContext: PL/pgSQL function inline_code_block',
    );
    expect(message).toMatch(/At statement: 0\ndo \$\$.*\$\$$/);
  });

  it('names the history when a deferred constraint fails at the end', async () => {
    const folder = await createProject({
      'supabase/migrations/1_ok.sql': '',
      'supabase/migrations/2_bad.sql':
        'create table a (id int primary key, b int references a deferrable initially deferred); insert into a values (1, 2);',
    });
    const error = await failureOf(database, folder);
    expect(error).toMatchObject({ sqlstate: '23503', file: 'supabase/migrations/2_bad.sql' });
    expect(error.message).toContain('At statement: 2');
    expect(await tables(database)).toEqual(['kept']);
  });

  it('keeps what its own COMMIT kept, and the settings of one file do not reach the next', async () => {
    const folder = await createProject({
      'supabase/migrations/1_ok.sql': '',
      'supabase/migrations/2_commit.sql':
        "begin; create table committed (); commit; select set_config('search_path', '', false);",
      'supabase/migrations/3_bad.sql':
        'create table lost (); begin; create table lost_too (); rollback; nonsense;',
    });
    const error = await failureOf(database, folder);
    expect(error).toMatchObject({ file: 'supabase/migrations/3_bad.sql', sqlstate: '42601' });
    expect(await tables(database)).toEqual(['committed', 'kept']);
  });
});

describe('a migration that Postgres bars from transactions', async () => {
  it('is one transaction without CONCURRENTLY on a fresh database', async () => {
    const database = await createTestDatabase();
    const folder = await createProject({
      'supabase/migrations/1_a.sql':
        'create table t (a int); create index concurrently t_a on t (a); nonsense;',
    });
    expect(await failureOf(database, folder)).toMatchObject({ sqlstate: '42601' });
    expect(await tables(database)).toEqual([]);
  });

  it('runs statement by statement later on, and says what that means when it fails', async () => {
    const database = await createTestDatabase();
    await apply(database, await createProject({ 'supabase/migrations/1_a.sql': 'create table t (a int)' }));
    const good = await createProject({
      'supabase/migrations/1_a.sql': '',
      'supabase/migrations/2_b.sql': 'create index concurrently t_a on t (a); vacuum t;',
    });
    expect(await apply(database, good)).toMatchObject({ applied: [{ version: '2' }] });
    const bad = await createProject({
      'supabase/migrations/1_a.sql': '',
      'supabase/migrations/2_b.sql': '',
      'supabase/migrations/3_c.sql': 'create table stays (); vacuum t; nonsense;',
    });
    const error = await failureOf(database, bad);
    expect(error.message).toContain('what precedes this statement stays applied');
    expect(await tables(database)).toEqual(['stays', 't']);
  });
});
