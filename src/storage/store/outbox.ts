import type { ServiceDb } from '../../pg/session.ts';
import { compile, type Sql, type Statement, sql } from '../../pg/sql/sql.ts';

/*
 * Versions that a transaction leaves behind are handed to the worker in that same transaction and the same round trip:
 *
 *   write as the request's role  ->  names the versions in the setting `ownbase.discarded`
 *   drop the role                ->  the login, which may do nothing but enqueue
 *   enqueue what the setting names
 *
 * The worker deletes a blob only when the row that had it names another version by then.
 */

/** A blob that no row should need any more, and the row that had it. */
export type Discard = { readonly bucket: string; readonly name: string; readonly version: string };

const kind = 'storage.blob';
const setting = 'ownbase.discarded';

/** An expression that names what the statement leaves behind: a JSON array of `Discard`, or SQL null for nothing. */
export const discarding = (discards: Sql): Sql =>
  sql`set_config(${setting}, coalesce(${discards}, '[]')::text, true)`;

/** One `Discard` from expressions, with the metadata that events tell; a row without a version has no blob. */
export const discardJson = (bucket: Sql, name: Sql, version: Sql, metadata: Sql): Sql =>
  sql`json_build_object('bucket', ${bucket}, 'name', ${name}, 'version', ${version}, 'metadata', ${metadata})`;

/** What the statements before have named, as JSON; an empty list for nothing. */
export const discarded: Sql = sql`coalesce(nullif(current_setting(${setting}, true), ''), '[]')::jsonb`;

/** Leaves the request's role for the login's own, which may enqueue. */
export const dropRole: Statement = compile(sql`select set_config('role', 'none', true)`);

/** The statements that follow a write which discards; blobs stay for `graceSeconds`, for downloads under way. */
export function enqueueDiscarded(graceSeconds: number): readonly Statement[] {
  return [
    dropRole,
    compile(sql`insert into ownbase.outbox (kind, payload, run_after)
      select ${kind}, item - 'metadata', now() + make_interval(secs => ${graceSeconds})
      from jsonb_array_elements(${discarded}) as item
      where item ->> 'version' is not null`),
  ];
}

/** What follows a write: how long replaced blobs stay, and whether somebody is told. */
export type Aftermath = { readonly graceSeconds: number; readonly announces: boolean };

/** Hands over blobs outside a request's transaction: of writes whose outcome is unknown, and of uploads that ended. */
export async function enqueueSuspects(
  db: ServiceDb,
  discards: readonly Discard[],
  graceSeconds: number,
): Promise<void> {
  await db.query(sql`insert into ownbase.outbox (kind, payload, run_after)
    select ${kind}, item, now() + make_interval(secs => ${graceSeconds})
    from jsonb_array_elements(${JSON.stringify(discards.map(only))}::jsonb) as item`);
}

const only = ({ bucket, name, version }: Discard): Discard => ({ bucket, name, version });

/** A piece of work taken from the outbox. */
export type DueDiscard = Discard & {
  readonly id: string;
  readonly attempts: number;
  readonly isReferenced: boolean;
};

/**
 * Takes due work, hiding it from other workers for `leaseSeconds`, and says of each blob whether its row still names it.
 */
export function takeDue(db: ServiceDb, limit: number, leaseSeconds: number): Promise<DueDiscard[]> {
  return db.query<DueDiscard>(sql`with due as (
      select id from ownbase.outbox where kind = ${kind} and run_after <= now()
      order by run_after, id limit ${limit} for update skip locked
    ), taken as (
      update ownbase.outbox o set attempts = attempts + 1, run_after = now() + make_interval(secs => ${leaseSeconds})
      from due where o.id = due.id returning o.id, o.payload, o.attempts
    )
    select taken.id::text as id, attempts, payload ->> 'bucket' as bucket, payload ->> 'name' as name,
      payload ->> 'version' as version,
      exists (select from storage.objects as object where object.bucket_id = payload ->> 'bucket'
        and object.name = payload ->> 'name' and object.version = payload ->> 'version') as "isReferenced"
    from taken`);
}

/** Forgets finished work. */
export async function settle(db: ServiceDb, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.query(sql`delete from ownbase.outbox where id = any(${ids}::bigint[])`);
}

/** Milliseconds until the next blob is due; null when there is none. */
export async function nextDueMs(db: ServiceDb): Promise<number | null> {
  const rows = await db.query<{ ms: number | null }>(sql`select
    (extract(epoch from min(run_after) - now()) * 1000)::float8 as ms from ownbase.outbox where kind = ${kind}`);
  return rows[0]?.ms ?? null;
}
