import type { ServiceDb } from '../../pg/session.ts';
import { compile, type Sql, type Statement, sql } from '../../pg/sql/sql.ts';
import { discarded, dropRole } from './outbox.ts';

/*
 * Events about objects are put into the outbox by the transaction that makes them true, and told by the worker: none is
 * lost with a process, and none tells of what was rolled back. What a request is comes from its settings.
 */

const kind = 'storage.webhook';
const written = 'ownbase.written';

/** An expression in a write's RETURNING list that says that a row was written. */
export const noting = sql`set_config(${written}, version, true)`;

/** The event of a row that a write made, and the transaction's knowledge of it. */
type WrittenObject = {
  readonly bucket: string;
  readonly name: string;
  readonly version: string;
  readonly metadata: unknown;
};

const uploadType = sql`case when current_setting('storage.operation', true) like 'storage.s3.%' then 's3'
  when current_setting('storage.operation', true) like 'storage.tus.%' then 'resumable' else 'standard' end`;
const requestId = sql`current_setting('ownbase.request_id', true)`;

const enqueue = (rows: Sql): Statement =>
  compile(
    sql`insert into ownbase.outbox (kind, payload, run_after) select ${kind}, event, now() from (${rows}) as rows (event)`,
  );

/**
 * The statements that announce a written object: a new one, one that replaced another, or a copy.
 * Upstream: src/storage/events/lifecycle/object-created.ts.
 */
export function announceWritten(object: WrittenObject, isCopy: boolean): readonly Statement[] {
  const type = isCopy
    ? sql`'ObjectCreated:Copy'`
    : sql`case when ${discarded} = '[]'::jsonb then 'ObjectCreated:Post' else 'ObjectCreated:Put' end`;
  const payload = sql`jsonb_build_object('name', ${object.name}::text, 'version', ${object.version}::text,
    'bucketId', ${object.bucket}::text, 'metadata', ${JSON.stringify(object.metadata)}::jsonb,
    'reqId', ${requestId}, 'uploadType', ${uploadType})`;
  return [
    dropRole,
    enqueue(sql`select jsonb_build_object('type', ${type}, 'payload', ${payload})
      where current_setting(${written}, true) = ${object.version}`),
  ];
}

const removedPayload = sql`jsonb_build_object('name', item ->> 'name', 'bucketId', item ->> 'bucket',
  'version', item ->> 'version', 'metadata', item -> 'metadata', 'reqId', ${requestId})`;

/** The statements that announce what a delete named as left behind. */
export const announceRemoved = (): readonly Statement[] => [
  dropRole,
  enqueue(sql`select jsonb_build_object('type', 'ObjectRemoved:Delete', 'payload', ${removedPayload})
    from jsonb_array_elements(${discarded}) as item`),
];

/** The statements that announce a move: the old place's end, and the new place. */
export function announceMoved(to: WrittenObject): readonly Statement[] {
  const created = sql`jsonb_build_object('name', ${to.name}::text, 'version', ${to.version}::text,
    'bucketId', ${to.bucket}::text, 'metadata', ${JSON.stringify(to.metadata)}::jsonb, 'reqId', ${requestId},
    'uploadType', ${uploadType}, 'oldObject', jsonb_build_object('name', item ->> 'name',
      'bucketId', item ->> 'bucket', 'reqId', ${requestId}, 'version', item ->> 'version'))`;
  return [
    dropRole,
    enqueue(sql`select event from jsonb_array_elements(${discarded}) as item,
      lateral (values (jsonb_build_object('type', 'ObjectRemoved:Move', 'payload', ${removedPayload})),
        (jsonb_build_object('type', 'ObjectCreated:Move', 'payload', ${created}))) as both_events (event)`),
  ];
}

/** An event to tell. */
export type DueEvent = {
  readonly id: string;
  readonly attempts: number;
  readonly createdAtMs: number;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
};

/** Takes due events, oldest first, hiding each from other workers until its next try, later after every failure. */
export function takeDueEvents(db: ServiceDb, limit: number): Promise<DueEvent[]> {
  return db.query<DueEvent>(sql`with due as (
      select id from ownbase.outbox where kind = ${kind} and run_after <= now()
      order by id limit ${limit} for update skip locked
    ), taken as (
      update ownbase.outbox o set attempts = attempts + 1,
        run_after = now() + make_interval(secs => least(10 * 2 ^ attempts, 3600))
      from due where o.id = due.id returning o.id, o.payload, o.attempts, o.created_at
    )
    select id::text as id, attempts, floor(extract(epoch from created_at) * 1000)::float8 as "createdAtMs",
      payload ->> 'type' as type, payload -> 'payload' as payload
    from taken order by taken.id`);
}
