import { sql } from '../../pg/sql/sql.ts';
import { parseLsn } from './lsn.ts';
import type { OwnerDb } from './owner-db.ts';

/** What the stream's connection is called at the server. */
export const feedApplicationName = 'ownbase-realtime-feed';

/** The slot as the server describes it. */
export type SlotState = {
  readonly plugin: string;
  readonly isActive: boolean;
  /** Where the stream will begin. */
  readonly confirmed: bigint;
  /** Whether the server has thrown away log that the slot needs. */
  readonly isLost: boolean;
  /** Log that has gathered behind the slot. */
  readonly lagBytes: number;
};

/** What to do with the slot before the stream starts. */
export type SlotAction = 'create' | 'recreate' | 'use' | 'wait';

/*
 *   absent -------------------> create
 *   lost, foreign, too far ---> recreate   (changes in between are gone: clients are told)
 *   held by another process --> wait
 *   else ---------------------> use
 */

/** Decides about the slot. */
export function slotAction(state: SlotState | null, maxLagBytes: number): SlotAction {
  if (state === null) return 'create';
  if (state.isActive) return 'wait';
  if (state.isLost || state.plugin !== 'pgoutput') return 'recreate';
  return maxLagBytes > 0 && state.lagBytes > maxLagBytes ? 'recreate' : 'use';
}

/** The slot's name: by default one per database, since slots are shared by the whole cluster. */
export async function feedName(db: OwnerDb, configured: string | null): Promise<string> {
  if (configured !== null) return configured;
  const [row] = await db.query<{ name: string }>(
    sql`select 'ownbase_realtime_' || oid as name from pg_database where datname = current_database()`,
  );
  return row?.name ?? 'ownbase_realtime';
}

/** Looks the slot up; null when there is none. */
export async function readSlot(db: OwnerDb, name: string): Promise<SlotState | null> {
  const [row] = await db.query<{
    plugin: string;
    active: boolean;
    status: string | null;
    lag: string | null;
    confirmed: string | null;
  }>(sql`
    select plugin, active, wal_status as status, confirmed_flush_lsn::text as confirmed,
      pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::int8::text as lag
    from pg_replication_slots where slot_name = ${name}`);
  if (row === undefined) return null;
  return {
    plugin: row.plugin,
    isActive: row.active,
    confirmed: parseLsn(row.confirmed ?? '0/0'),
    isLost: row.status === 'lost',
    lagBytes: Number(row.lag ?? 0),
  };
}

/** Makes the slot; waits for write transactions that are open anywhere in the cluster. */
export async function createSlot(db: OwnerDb, name: string): Promise<void> {
  await db.query(sql`
    select pg_create_logical_replication_slot(${name}, 'pgoutput')
    where not exists (select from pg_replication_slots where slot_name = ${name})`);
}

/**
 * Ends the connection that holds the slot, when it is one of ours: that of an instance which has lost the lead, and
 * whose end the server has not noticed.
 */
export async function endHolder(db: OwnerDb, name: string): Promise<void> {
  await db.query(sql`
    select pg_terminate_backend(s.active_pid)
    from pg_replication_slots s join pg_stat_activity a on a.pid = s.active_pid
    where s.slot_name = ${name} and a.application_name = ${feedApplicationName}`);
}

/** Drops the slot if it exists and nobody holds it. */
export async function dropSlot(db: OwnerDb, name: string): Promise<void> {
  await db.query(sql`
    select pg_drop_replication_slot(slot_name) from pg_replication_slots
    where slot_name = ${name} and not active`);
}

/** Which of these publications exist; the stream fails on others. */
export async function existingPublications(
  db: OwnerDb,
  names: readonly string[],
): Promise<readonly string[]> {
  const rows = await db.query<{ name: string }>(
    sql`select pubname as name from pg_publication where pubname = any(${[...names]}::text[]) order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** Whether the server bounds the log that a slot may hold back. */
export async function hasSlotGuard(db: OwnerDb): Promise<boolean> {
  const [row] = await db.query<{ limit: string }>(
    sql`select current_setting('max_slot_wal_keep_size') as limit`,
  );
  return row?.limit !== '-1';
}

const longestStatusMs = 5_000;
const shortestStatusMs = 500;

/** How often the server is told how far the stream has come, in milliseconds: well before it takes the reader for dead. */
export async function statusInterval(db: OwnerDb): Promise<number> {
  const [row] = await db.query<{ timeout: number }>(
    sql`select setting::int as timeout from pg_settings where name = 'wal_sender_timeout'`,
  );
  const timeoutMs = row?.timeout ?? 0;
  if (timeoutMs === 0) return longestStatusMs;
  return Math.max(shortestStatusMs, Math.min(longestStatusMs, timeoutMs / 3));
}

/** Where the log ends now. */
export async function currentPosition(db: OwnerDb): Promise<bigint> {
  const [row] = await db.query<{ lsn: string }>(sql`select pg_current_wal_insert_lsn()::text as lsn`);
  return parseLsn(row?.lsn ?? '0/0');
}
