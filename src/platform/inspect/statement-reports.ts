import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { Report } from './report.ts';

const columns = {
  query: 'Query',
  total_exec_time: 'Execution time',
  prop_exec_time: 'Proportion of exec time',
  ncalls: 'Number calls',
  sync_io_time: 'Sync IO time',
};

/** The ten statements that come first in an order. Columns of block times are named anew in Postgres 17. */
const top = (schema: string, rows: Sql, order: Sql): Sql => sql`
  select s.query,
    (interval '1 millisecond' * s.total_exec_time)::text as total_exec_time,
    to_char(100 * s.total_exec_time / nullif(sum(s.total_exec_time) over (), 0), 'FM90D0') || '%' as prop_exec_time,
    to_char(s.calls, 'FM999G999G999G999G990') as ncalls,
    (interval '1 millisecond' * (
      coalesce((to_jsonb(s) ->> 'shared_blk_read_time')::float8, (to_jsonb(s) ->> 'blk_read_time')::float8, 0)
      + coalesce((to_jsonb(s) ->> 'shared_blk_write_time')::float8, (to_jsonb(s) ->> 'blk_write_time')::float8, 0)
    ))::text as sync_io_time
  from ${sql.ident(schema, 'pg_stat_statements')} s
  where ${rows}
  order by ${order} desc limit 10`;

/** Reports of what pg_stat_statements counted. */
export const statementReports: Readonly<Record<string, Report>> = {
  outliers: {
    columns,
    needsStatements: true,
    statement: ({ statements }) =>
      top(statements, sql`s.userid = current_user::regrole`, sql`s.total_exec_time`),
  },
  calls: {
    columns,
    needsStatements: true,
    statement: ({ statements }) => top(statements, sql`true`, sql`s.calls`),
  },
};
