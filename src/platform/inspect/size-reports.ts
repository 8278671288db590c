import { sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';
import { bloatStatement } from './bloat.ts';
import type { Report } from './report.ts';
import { vacuumStatement } from './vacuum.ts';

const ofProject = isProjectSchema(sql`s.schemaname`);

const tableStats: Report = {
  columns: {
    name: 'Name',
    table_size: 'Table size',
    index_size: 'Index size',
    total_size: 'Total size',
    estimated_row_count: 'Estimated row count',
    seq_scans: 'Seq scans',
  },
  statement: () => sql`
    select format('%I.%I', s.schemaname, s.relname) as name,
      pg_size_pretty(pg_table_size(s.relid)) as table_size,
      pg_size_pretty(pg_indexes_size(s.relid)) as index_size,
      pg_size_pretty(pg_total_relation_size(s.relid)) as total_size,
      s.n_live_tup::int8 as estimated_row_count, s.seq_scan::int8 as seq_scans
    from pg_stat_user_tables s
    where ${ofProject}
    order by pg_total_relation_size(s.relid) desc, name`,
};

const indexStats: Report = {
  columns: {
    name: 'Name',
    size: 'Size',
    percent_used: 'Percent used',
    index_scans: 'Index scans',
    seq_scans: 'Seq scans',
    unused: 'Unused',
  },
  statement: () => sql`
    select format('%I.%I', s.schemaname, s.indexrelname) as name,
      pg_size_pretty(pg_relation_size(s.indexrelid)) as size,
      case s.idx_scan when 0 then 0 else round(100.0 * s.idx_scan / (t.seq_scan + s.idx_scan), 1) end || '%'
        as percent_used,
      s.idx_scan as index_scans, t.seq_scan as seq_scans, s.idx_scan = 0 as unused
    from pg_stat_user_indexes s
    join pg_stat_user_tables t on t.relid = s.relid
    where ${ofProject}
    order by pg_relation_size(s.indexrelid) desc, name`,
};

const trafficProfile: Report = {
  columns: {
    schemaname: 'Schema',
    table_name: 'Table',
    blocks_read: 'Blocks read',
    write_tuples: 'Write tuples',
    blocks_write: 'Blocks write',
    activity_ratio: 'Activity ratio',
  },
  // A table counts as read or write heavy when the one is more than five times the other.
  statement: () => sql`
    with traffic as (
      select s.schemaname, s.relname as table_name, io.heap_blks_read + io.idx_blks_read as blocks_read,
        s.n_tup_ins + s.n_tup_upd + s.n_tup_del as write_tuples,
        c.relpages * (s.n_tup_ins + s.n_tup_upd + s.n_tup_del) / coalesce(nullif(c.reltuples, 0), 1)::numeric
          as blocks_write
      from pg_stat_user_tables s
      join pg_statio_user_tables io using (relid)
      join pg_class c on c.oid = s.relid
    )
    select schemaname, table_name, blocks_read, write_tuples, round(blocks_write, 1) as blocks_write,
      case
        when blocks_read = 0 and blocks_write = 0 then 'No Activity'
        when blocks_read = 0 then 'Write-Only'
        when blocks_write = 0 then 'Read-Only'
        when blocks_write * 5 > blocks_read then round(blocks_write / blocks_read, 1) || ':1 (Write-Heavy)'
        when blocks_read > blocks_write * 5 then '1:' || round(blocks_read / blocks_write, 1) || ' (Read-Heavy)'
        else '1:1 (Balanced)'
      end as activity_ratio
    from traffic
    where write_tuples > 0 and blocks_read > 0
    order by blocks_read + blocks_write desc`,
};

const databaseStats: Report = {
  columns: {
    name: 'Name',
    database_size: 'Database size',
    total_index_size: 'Total index size',
    total_table_size: 'Total table size',
    total_toast_size: 'Total toast size',
    time_since_stats_reset: 'Time since stats reset',
    index_hit_rate: 'Index hit rate',
    table_hit_rate: 'Table hit rate',
    wal_size: 'WAL size',
  },
  statement: () => sql`
    with sizes as (
      select c.relkind, pg_size_pretty(sum(pg_relation_size(c.oid))) as size
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('i', 'r', 't') and ${isProjectSchema(sql`n.nspname`)}
      group by c.relkind
    )
    select current_database() as name, pg_size_pretty(pg_database_size(current_database())) as database_size,
      coalesce((select size from sizes where relkind = 'i'), '0 bytes') as total_index_size,
      coalesce((select size from sizes where relkind = 'r'), '0 bytes') as total_table_size,
      coalesce((select size from sizes where relkind = 't'), '0 bytes') as total_toast_size,
      coalesce((select age(now(), stats_reset)::text from pg_stat_database where datname = current_database()), 'N/A')
        as time_since_stats_reset,
      (select coalesce(round(sum(s.idx_blks_hit) / nullif(sum(s.idx_blks_hit + s.idx_blks_read), 0), 2)::text, 'N/A')
        from pg_statio_user_indexes s where ${ofProject}) as index_hit_rate,
      (select coalesce(round(sum(s.heap_blks_hit) / nullif(sum(s.heap_blks_hit + s.heap_blks_read), 0), 2)::text, 'N/A')
        from pg_statio_user_tables s where ${ofProject}) as table_hit_rate,
      case when pg_has_role(current_user, 'pg_monitor', 'usage')
        then (select coalesce(pg_size_pretty(sum(size)), '0 bytes') from pg_ls_waldir()) else 'N/A' end as wal_size`,
};

/** Reports of space and of how tables and indexes are used. */
export const sizeReports: Readonly<Record<string, Report>> = {
  'db-stats': databaseStats,
  'table-stats': tableStats,
  'index-stats': indexStats,
  bloat: {
    columns: { type: 'Type', name: 'Name', bloat: 'Bloat', waste: 'Waste' },
    statement: () => bloatStatement,
  },
  'vacuum-stats': {
    columns: {
      name: 'Table',
      last_vacuum: 'Last vacuum',
      last_autovacuum: 'Last auto vacuum',
      last_analyze: 'Last analyze',
      last_autoanalyze: 'Last auto analyze',
      rowcount: 'Row count',
      dead_rowcount: 'Dead row count',
      autovacuum_threshold: 'Vacuum at',
      expect_autovacuum: 'Expect autovacuum?',
      autoanalyze_threshold: 'Analyze at',
      expect_autoanalyze: 'Expect autoanalyze?',
    },
    statement: () => vacuumStatement,
  },
  'traffic-profile': trafficProfile,
};
