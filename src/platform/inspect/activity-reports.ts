import { sql } from '../../pg/sql/sql.ts';
import type { Report } from './report.ts';

/** Reports of sessions, locks, roles and slots: what happens in the server at this moment. */
export const activityReports: Readonly<Record<string, Report>> = {
  'long-running-queries': {
    columns: { pid: 'pid', duration: 'Duration', query: 'Query' },
    statement: () => sql`
      select pid, age(now(), query_start)::text as duration, query
      from pg_stat_activity
      where query <> '' and state <> 'idle' and query_start < now() - interval '5 minutes'
      order by query_start`,
  },
  locks: {
    columns: {
      pid: 'pid',
      relname: 'relname',
      transactionid: 'transaction id',
      granted: 'granted',
      stmt: 'stmt',
      age: 'age',
    },
    statement: () => sql`
      select a.pid, coalesce(c.relname, 'null') as relname, coalesce(l.transactionid::text, 'null') as transactionid,
        l.granted, a.query as stmt, age(now(), a.query_start)::text as age
      from pg_locks l
      join pg_stat_activity a on a.pid = l.pid
      left join pg_class c on c.oid = l.relation
      where l.mode = 'ExclusiveLock' and a.query <> '<insufficient privilege>'
      order by a.query_start`,
  },
  blocking: {
    columns: {
      blocked_pid: 'blocked pid',
      blocking_statement: 'blocking statement',
      blocking_duration: 'blocking duration',
      blocking_pid: 'blocking pid',
      blocked_statement: 'blocked statement',
      blocked_duration: 'blocked duration',
    },
    statement: () => sql`
      select waiting.pid as blocked_pid, holding.query as blocking_statement,
        age(now(), holding.query_start)::text as blocking_duration, holding.pid as blocking_pid,
        waiting.query as blocked_statement, age(now(), waiting.query_start)::text as blocked_duration
      from pg_stat_activity waiting
      cross join lateral unnest(pg_blocking_pids(waiting.pid)) blocker (pid)
      join pg_stat_activity holding on holding.pid = blocker.pid
      order by waiting.query_start`,
  },
  'role-stats': {
    columns: {
      role_name: 'Role name',
      active_connections: 'Active connections',
      connection_limit: 'Connection limit',
      custom_config: 'Custom config',
    },
    statement: () => sql`
      select r.rolname as role_name,
        (select count(*) from pg_stat_activity a where a.usesysid = r.oid)::int as active_connections,
        case r.rolconnlimit when -1 then current_setting('max_connections')::int else r.rolconnlimit end
          as connection_limit,
        array_to_string(r.rolconfig, ',') as custom_config
      from pg_roles r order by r.rolname desc`,
  },
  'replication-slots': {
    columns: {
      slot_name: 'Name',
      active: 'Active',
      state: 'State',
      replication_client_address: 'Replication client address',
      replication_lag_gb: 'Replication lag GB',
    },
    statement: () => sql`
      select s.slot_name, s.active, coalesce(r.state, 'N/A') as state,
        coalesce(r.client_addr::text, 'N/A') as replication_client_address,
        round(greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)) / (1024 ^ 3)::numeric, 2)::text
          as replication_lag_gb
      from pg_replication_slots s
      left join pg_stat_replication r on r.pid = s.active_pid
      order by s.slot_name`,
  },
};
