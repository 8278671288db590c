import { setTimeout as pause } from 'node:timers/promises';
import type { AdminClient } from '../../pg/connect.ts';
import { PgFailure } from '../../pg/failure.ts';
import { sql } from '../../pg/sql/sql.ts';

/** The letters `ownbase` as a number: the same in every version, or two versions would not see each other's lock. */
const lockKey = '31375038395544421';

/**
 * Runs the work while no other bootstrap of the cluster runs. Advisory locks are per database, while roles are the
 * cluster's: so the lock is taken on a connection of its own to the maintenance database when there is one.
 */
export async function withClusterLock<T>(
  client: AdminClient,
  openMaintenance: (() => Promise<AdminClient>) | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const holder = openMaintenance === undefined ? client : await openMaintenance();
  try {
    await holder.query(sql`select pg_advisory_lock(${lockKey}::bigint)`);
    try {
      return await work();
    } finally {
      await holder.query(sql`select pg_advisory_unlock(${lockKey}::bigint)`);
    }
  } finally {
    if (holder !== client) await holder.end();
  }
}

const attempts = 8;
const raceStates = new Set(['40P01', '40001', '42710', '42P06', '42P07']);

/** Whether a statement failed because another session changed the same catalog rows in that moment. */
export function isCatalogRace(thrown: unknown): boolean {
  if (!(thrown instanceof PgFailure) || thrown.kind !== 'server') return false;
  if (raceStates.has(thrown.sqlstate)) return true;
  if (thrown.sqlstate === 'XX000') return /^tuple concurrently (updated|deleted)$/.test(thrown.message);
  return thrown.sqlstate === '23505' && thrown.schema === 'pg_catalog';
}

/** Tries again, a little later each time, while others change the same catalog rows. */
export async function retryCatalogRaces<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      if (attempt >= attempts || !isCatalogRace(thrown)) throw thrown;
      await pause(20 * 2 ** attempt);
    }
  }
}
