import { type Sql, sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';

const at = (moment: Sql): Sql => sql`coalesce(to_char(${moment}, 'YYYY-MM-DD HH24:MI'), '')`;

/** A setting of a table, else the server's. */
const setting = (name: string): Sql => sql`coalesce(
  (select option_value::numeric from pg_options_to_table(c.reloptions) where option_name = ${name}),
  current_setting(${name})::numeric)`;

const threshold = (what: 'vacuum' | 'analyze'): Sql =>
  sql`(${setting(`autovacuum_${what}_threshold`)} + ${setting(`autovacuum_${what}_scale_factor`)} * greatest(c.reltuples, 0)::numeric)`;

/** When each table was vacuumed and analyzed, and whether its dead rows are over the threshold of autovacuum. */
export const vacuumStatement: Sql = sql`
  select format('%I.%I', s.schemaname, s.relname) as name,
    ${at(sql`s.last_vacuum`)} as last_vacuum, ${at(sql`s.last_autovacuum`)} as last_autovacuum,
    ${at(sql`s.last_analyze`)} as last_analyze, ${at(sql`s.last_autoanalyze`)} as last_autoanalyze,
    case when c.reltuples < 0 then 'No stats' else to_char(c.reltuples, 'FM9G999G999G990') end as rowcount,
    to_char(s.n_dead_tup, 'FM9G999G999G990') as dead_rowcount,
    to_char(${threshold('vacuum')}, 'FM9G999G999G990') as autovacuum_threshold,
    case when s.n_dead_tup > ${threshold('vacuum')} then 'yes' else 'no' end as expect_autovacuum,
    to_char(${threshold('analyze')}, 'FM9G999G999G990') as autoanalyze_threshold,
    case when s.n_dead_tup > ${threshold('analyze')} then 'yes' else 'no' end as expect_autoanalyze
  from pg_stat_user_tables s
  join pg_class c on c.oid = s.relid
  where ${isProjectSchema(sql`s.schemaname`)}
  order by c.reltuples < 0, name`;
