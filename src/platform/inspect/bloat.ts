import { type Sql, sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';

/**
 * Expressions of a `with` clause; the last, `needed`, compares the pages of tables with those that their rows would need by
 * the planner's statistics: row header of 23 bytes and null bitmap, rounded up to 8, four bytes of line pointer, 20 bytes
 * of page header.
 */
export const neededPages: Sql = sql`
  width as (
    select s.schemaname, s.tablename, sum((1 - s.null_frac) * s.avg_width)::numeric as data,
      23 + case when max(s.null_frac) > 0 then 1 + count(*) / 8 else 0 end as header
    from pg_stats s
    where ${isProjectSchema(sql`s.schemaname`)}
    group by s.schemaname, s.tablename
  ), needed as (
    select c.oid, w.schemaname, w.tablename, c.relpages, c.reltuples::numeric as rows, w.data,
      ceil(c.reltuples::numeric * (ceil((w.data + w.header) / 8) * 8 + 4) / (b.size - 20)) as pages, b.size
    from width w
    join pg_namespace n on n.nspname = w.schemaname
    join pg_class c on c.relname = w.tablename and c.relnamespace = n.oid
    cross join (select current_setting('block_size')::numeric) b (size)
    where c.reltuples >= 0
  )`;

/** Tables and indexes by what they take too much. A rough estimate: indexes count as if they held every column. */
export const bloatStatement: Sql = sql`
  with ${neededPages}, compared as (
    select 'table' as type, format('%I.%I', schemaname, tablename) as name, relpages, pages, size from needed
    union all
    select 'index', format('%I.%I::%I', t.schemaname, t.tablename, i.relname), i.relpages,
      ceil(i.reltuples::numeric * (t.data + 12) / (t.size - 20)), t.size
    from needed t
    join pg_index x on x.indrelid = t.oid
    join pg_class i on i.oid = x.indexrelid
  )
  select type, name, coalesce(round(relpages / nullif(pages, 0), 1), 0)::text as bloat,
    pg_size_pretty(greatest(relpages - pages, 0) * size) as waste
  from compared
  order by greatest(relpages - pages, 0) desc, relpages / nullif(pages, 0) desc nulls last, name`;
