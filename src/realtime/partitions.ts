import { setTimeout as delay } from 'node:timers/promises';
import type { Observer } from '../core/observe.ts';
import { sql } from '../pg/sql/sql.ts';
import type { OwnerDb } from './feed/owner-db.ts';

const intervalMs = 4 * 3_600_000;
const retryMs = 60_000;

/**
 * Keeps the daily partitions of `realtime.messages`: makes those of the next days, drops those older than three.
 * Runs until the signal; a failure is reported and tried again.
 */
export async function keepPartitions(db: OwnerDb, observer: Observer, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    let waitMs = intervalMs;
    try {
      await db.query(sql`select ownbase.ensure_message_partitions(), ownbase.drop_message_partitions()`);
    } catch (error) {
      waitMs = retryMs;
      observer({ kind: 'fault', service: 'realtime', message: 'partitions of realtime.messages', error });
    }
    await delay(waitMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
