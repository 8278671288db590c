import { sql } from '../../pg/sql/sql.ts';
import { type Check, fail, healthy, sqlCheck, type Verdict, warn } from './check.ts';

/** Judges `server_version_num`. */
export function judgeServerVersion(version: number): Verdict {
  const major = Math.floor(version / 10_000);
  if (major < 15) return fail(`PostgreSQL ${major} is too old`, 'Use PostgreSQL 15 to 18.');
  if (major > 18) return warn(`PostgreSQL ${major} was not tried`, 'Use PostgreSQL 15 to 18.');
  return healthy;
}

/** Checks of the server's version and settings. */
export const serverChecks: readonly Check[] = [
  sqlCheck<{ version: number }>({
    id: 'server-version',
    title: 'Version of the server',
    facts: sql`select current_setting('server_version_num')::int as version`,
    judge: ({ version }) => judgeServerVersion(version),
  }),
  sqlCheck<{ encoding: string }>({
    id: 'encoding',
    title: 'Encoding of the database',
    facts: sql`select pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()`,
    judge: ({ encoding }) =>
      encoding === 'UTF8'
        ? healthy
        : fail(`the encoding is ${encoding}`, 'Make the database anew with encoding UTF8 and restore it.'),
  }),
  sqlCheck<{ level: string }>({
    id: 'wal-level',
    title: 'Live updates: wal_level',
    facts: sql`select current_setting('wal_level') as level`,
    judge: ({ level }) =>
      level === 'logical'
        ? healthy
        : fail(
            `wal_level is ${level}, so changes of tables are not streamed`,
            'Set wal_level = logical (on RDS: rds.logical_replication = 1) and restart the server.',
          ),
  }),
  sqlCheck<{ slots: number; senders: number }>({
    id: 'replication-capacity',
    title: 'Live updates: free replication slots and senders',
    facts: sql`select
        current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots)::int as slots,
        current_setting('max_wal_senders')::int - (select count(*) from pg_stat_replication)::int as senders`,
    judge: ({ slots, senders }) =>
      slots >= 1 && senders >= 1
        ? healthy
        : fail(
            `${slots} replication slots and ${senders} senders are free`,
            'Raise max_replication_slots and max_wal_senders, or drop slots that nobody reads.',
          ),
  }),
  sqlCheck<{ slots: readonly string[] }>({
    id: 'abandoned-slots',
    title: 'Replication slots that keep WAL for nobody',
    facts: sql`select array(
        select slot_name::text from pg_replication_slots
        where not active and wal_status <> 'reserved'
      ) as slots`,
    judge: ({ slots }) =>
      slots.length === 0
        ? healthy
        : warn(
            `these slots hold back more WAL than max_wal_size: ${slots.join(', ')}`,
            'Start what reads them, or free the disk: select pg_drop_replication_slot(NAME).',
          ),
  }),
  sqlCheck<{ zone: string }>({
    id: 'timezone',
    title: 'Time zone',
    facts: sql`select current_setting('timezone') as zone`,
    judge: ({ zone }) =>
      /^(utc|etc\/utc|gmt|etc\/gmt)$/i.test(zone)
        ? healthy
        : warn(
            `the time zone is ${zone}; timestamps reach clients in it`,
            `alter database NAME set timezone = 'UTC'`,
          ),
  }),
  sqlCheck<{ encryption: string }>({
    id: 'password-encryption',
    title: 'How passwords are kept',
    facts: sql`select current_setting('password_encryption') as encryption`,
    judge: ({ encryption }) =>
      encryption === 'scram-sha-256'
        ? healthy
        : warn(`password_encryption is ${encryption}`, 'Set password_encryption = scram-sha-256.'),
  }),
  sqlCheck<{ connections: number }>({
    id: 'connections',
    title: 'Connections',
    facts: sql`select current_setting('max_connections')::int - (
        select count(*) from pg_stat_activity where backend_type = 'client backend')::int as connections`,
    judge: ({ connections }) =>
      connections >= 20
        ? healthy
        : warn(`only ${connections} connections are free`, 'Raise max_connections, or lower the pool sizes.'),
  }),
];
