import { setTimeout as pause } from 'node:timers/promises';
import { type AdminClient, connect } from '../../pg/connect.ts';
import { PgFailure } from '../../pg/failure.ts';
import { sql } from '../../pg/sql/sql.ts';

/** The letters `ownbase` as a number: the same in every version, or two versions would not see each other's lock. */
const lockKey = '31375038395544421';

/**
 * Runs the work while no other bootstrap of the cluster runs. Advisory locks are per database, while roles are the
 * cluster's: so the lock is taken in the database `postgres`, or where that is closed to us in the target itself.
 */
export async function withClusterLock<T>(databaseUrl: string, work: () => Promise<T>): Promise<T> {
  const holder = await connectToMaintenance(databaseUrl);
  try {
    await holder.query(sql`select pg_advisory_lock(${lockKey}::bigint)`);
    return await work();
  } finally {
    // The lock ends with its session.
    await holder.end();
  }
}

async function connectToMaintenance(databaseUrl: string): Promise<AdminClient> {
  const url = new URL(databaseUrl);
  url.pathname = '/postgres';
  try {
    return await connect(url.href);
  } catch (thrown) {
    if (!(thrown instanceof PgFailure) || thrown.kind !== 'server') throw thrown;
    return await connect(databaseUrl);
  }
}

const attempts = 8;
const raceStates = new Set(['40P01', '40001', '42710', '42P06']);

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
