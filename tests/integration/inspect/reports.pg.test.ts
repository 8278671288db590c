import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { reports } from '../../../src/platform/inspect/reports.ts';
import { runReport } from '../../../src/platform/inspect/run.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase(`
  create table public.notes (id int primary key, body text);
  insert into public.notes select n, repeat('x', 500) from generate_series(1, 400) n;
  create index notes_body on public.notes (body);
`);
const { owner } = database;
// Counters of a session reach the statistics at its end, at the latest when it says so.
await owner.exec(`delete from public.notes where id <= 380; select pg_stat_force_next_flush()`);
await owner.exec('vacuum analyze public.notes');

/** The rows of a report; fails when there is none. */
async function rowsOf(name: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const report = reports[name];
  if (!report) throw new Error(`no report ${name}`);
  const rows = await runReport(owner, report);
  if ('kind' in rows) throw new Error(rows.kind);
  return rows;
}

describe('reports of inspect db', () => {
  it.each(Object.keys(reports).filter((name) => reports[name]?.needsStatements !== true))(
    '%s has the columns that it announces, and no others',
    async (name) => {
      for (const row of await rowsOf(name))
        expect(Object.keys(row)).toEqual(Object.keys(reports[name]?.columns ?? {}));
    },
  );

  it('table-stats and index-stats show the project alone', async () => {
    const tables = await rowsOf('table-stats');
    expect(tables.map(({ name }) => name)).toEqual(['public.notes']);
    const indexes = await rowsOf('index-stats');
    expect(indexes.map(({ name }) => name).sort()).toEqual(['public.notes_body', 'public.notes_pkey']);
    expect(indexes.find(({ name }) => name === 'public.notes_body')).toMatchObject({
      unused: true,
      percent_used: '0%',
    });
  });

  it('bloat finds the space of deleted rows', async () => {
    const [first] = await rowsOf('bloat');
    expect(first).toMatchObject({ name: expect.stringMatching(/^public\.notes/) });
    expect(Number(first?.bloat)).toBeGreaterThan(1);
  });

  it('vacuum-stats tells of the vacuum and of the thresholds', async () => {
    const [notes] = await rowsOf('vacuum-stats');
    expect(notes).toMatchObject({
      name: 'public.notes',
      last_vacuum: expect.stringMatching(/^\d{4}-/),
      last_autovacuum: '',
      rowcount: '20',
      autovacuum_threshold: '54',
      expect_autovacuum: 'no',
    });
  });

  it('blocking names who waits and for whom', async () => {
    const [holding, waiting] = await Promise.all([
      connect(database.url('postgres')),
      connect(database.url('postgres')),
    ]);
    afterAll(() => Promise.all([holding.end(), waiting.end()]));
    await holding.exec('begin; update public.notes set body = $$a$$ where id = 400');
    const blocked = waiting.exec('update public.notes set body = $$b$$ where id = 400');
    let rows: readonly Readonly<Record<string, unknown>>[] = [];
    while (rows.length === 0) rows = await rowsOf('blocking');
    expect(rows[0]).toMatchObject({
      blocking_statement: expect.stringContaining('$$a$$'),
      blocked_statement: expect.stringContaining('$$b$$'),
    });
    await holding.exec('rollback');
    await blocked;
  });

  it('outliers says that pg_stat_statements is not there instead of failing', async () => {
    await owner.query(sql`drop extension if exists pg_stat_statements cascade`);
    const report = reports.outliers;
    expect(report && (await runReport(owner, report))).toEqual({ kind: 'no_statements' });
  });
});
