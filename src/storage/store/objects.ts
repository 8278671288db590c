import type { RequestDb, RequestScope, ServiceDb } from '../../pg/session.ts';
import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import { StorageError } from '../errors.ts';
import { isUuid } from '../names.ts';
import { announceMoved, announceRemoved, announceWritten, noting } from './announcements.ts';
import { type Aftermath, discarding, discardJson, enqueueDiscarded } from './outbox.ts';
import { type Json, jsonRows, type ObjectMetadata, type ObjectRow, objectJson } from './rows.ts';

/** An object's place. */
export type ObjectKey = { readonly bucket: string; readonly name: string };

/** What an upload is about to write, as policies see it. */
export type ProposedObject = ObjectKey & {
  readonly owner: string | null;
  /** Only what is known before the body: `mimetype` and `contentLength`. */
  readonly metadata: Json;
  readonly userMetadata: Json | null;
};

/** A complete object, ready to become visible. */
export type FinishedObject = ObjectKey & {
  readonly owner: string | null;
  readonly version: string;
  readonly metadata: ObjectMetadata | Json;
  /** Null leaves what an existing row has. */
  readonly userMetadata: Json | null;
};

const deprecatedOwner = (owner: string | null): string | null =>
  owner !== null && isUuid(owner) ? owner : null;

const proposedVersion = '1';

/** The row as an insert; keys in a fixed order so that the statement is prepared once. */
const insertOf = (
  object: ProposedObject & { readonly version: string },
): Sql => sql`insert into storage.objects
  (bucket_id, name, version, owner, owner_id, metadata, user_metadata) values (${object.bucket}, ${object.name},
  ${object.version}, ${deprecatedOwner(object.owner)}, ${object.owner}, ${JSON.stringify(object.metadata)}::jsonb,
  ${object.userMetadata === null ? null : JSON.stringify(object.userMetadata)}::jsonb)`;

/** What an upsert overwrites: an owner or user metadata that are not given stay. */
const overwrite = sql`metadata = excluded.metadata, version = excluded.version,
  user_metadata = coalesce(excluded.user_metadata, objects.user_metadata),
  owner = coalesce(excluded.owner, objects.owner), owner_id = coalesce(excluded.owner_id, objects.owner_id)`;

/**
 * Tries the write as the request and takes it back: without upsert INSERT policies decide, with it SELECT and, for an
 * existing key, UPDATE policies too. Throws what the database says, `KeyAlreadyExists` for a taken key.
 * Upstream: src/storage/uploader.ts.
 */
export async function probeWrite(
  db: RequestDb,
  scope: RequestScope,
  object: ProposedObject,
  isUpsert: boolean,
): Promise<void> {
  const insert = insertOf({ ...object, version: proposedVersion });
  const statement = isUpsert
    ? sql`${insert} on conflict (name, bucket_id) do update set ${overwrite} returning *`
    : insert;
  await mappingTakenKey(object.name, () => db.probe(scope, [compile(statement)]));
}

async function mappingTakenKey<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isSqlstate(thrown, '23505')) throw new StorageError('KeyAlreadyExists', name, { cause: thrown });
    throw thrown;
  }
}

const isSqlstate = (thrown: unknown, sqlstate: string): boolean =>
  typeof thrown === 'object' && thrown !== null && (thrown as { sqlstate?: unknown }).sqlstate === sqlstate;

/**
 * Makes a finished object visible, in one round trip with the hand-over of the version that it replaces. Without
 * upsert a key that was taken meanwhile gives `KeyAlreadyExists` and changes nothing.
 */
export async function publish(
  db: RequestDb,
  scope: RequestScope,
  object: FinishedObject,
  options: Aftermath & { readonly isUpsert: boolean; readonly isCopy: boolean },
): Promise<ObjectRow> {
  const insert = insertOf(object);
  const old = discardJson(sql`objects.bucket_id`, sql`objects.name`, sql`objects.version`, sql`null`);
  // The condition always holds; it sees the very row version that is overwritten, under its lock.
  const write = options.isUpsert
    ? sql`${insert} on conflict (name, bucket_id) do update set ${overwrite}
        where ${discarding(sql`json_build_array(${old})`)} is not null returning ${objectJson}, ${noting}`
    : sql`${insert} on conflict (name, bucket_id) do nothing returning ${objectJson}, ${noting}`;
  const rest = [
    ...(options.isUpsert ? enqueueDiscarded(options.graceSeconds) : []),
    ...(options.announces ? announceWritten(object, options.isCopy) : []),
  ];
  const [written] = await db.run(scope, [compile(write), ...rest]);
  const [row] = jsonRows<ObjectRow>(written);
  if (row === undefined) throw new StorageError('KeyAlreadyExists', object.name);
  return row;
}

const keyIs = ({ bucket, name }: ObjectKey): Sql => sql`bucket_id = ${bucket} and name = ${name}`;

/** The object as the request may see it; null when it is missing or hidden. */
export async function findObject(
  db: RequestDb,
  scope: RequestScope,
  key: ObjectKey,
): Promise<ObjectRow | null> {
  const [found] = await db.run(scope, [
    compile(sql`select ${objectJson} from storage.objects where ${keyIs(key)}`),
  ]);
  return jsonRows<ObjectRow>(found)[0] ?? null;
}

/** A bucket's openness and one object in it, regardless of row security. */
export type Located = { readonly isPublic: boolean; readonly object: ObjectRow | null };

/** Looks a bucket and an object up at once; null when the bucket does not exist. */
export async function locate(db: ServiceDb, key: ObjectKey): Promise<Located | null> {
  const rows = await db.query<Located>(sql`select coalesce(bucket.public, false) as "isPublic",
    (select ${objectJson} from storage.objects where ${keyIs(key)}) as object
    from storage.buckets as bucket where bucket.id = ${key.bucket}`);
  return rows[0] ?? null;
}

/** Which of the names the request sees in the bucket. */
export async function findNames(
  db: RequestDb,
  scope: RequestScope,
  bucket: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const [found] = await db.run(scope, [
    compile(
      sql`select name from storage.objects where bucket_id = ${bucket} and name = any(${names}::text[])`,
    ),
  ]);
  return new Set((found?.rows ?? []).map(([name]) => name ?? ''));
}

/** Deletes objects as the request, by exact names, with the hand-over of their blobs. */
export async function deleteObjects(
  db: RequestDb,
  scope: RequestScope,
  bucket: string,
  names: readonly string[],
  { graceSeconds, announces }: Aftermath,
): Promise<ObjectRow[]> {
  const [deleted] = await db.run(scope, [
    compile(sql`with gone as (
        delete from storage.objects where bucket_id = ${bucket} and name = any(${names}::text[]) returning *
      ), noted as (
        select ${discarding(sql`json_agg(${discardJson(sql`bucket_id`, sql`name`, sql`version`, sql`metadata`)})`)}
        from gone
      )
      select ${objectJson} from gone, noted`),
    ...enqueueDiscarded(graceSeconds),
    ...(announces ? announceRemoved() : []),
  ]);
  return jsonRows<ObjectRow>(deleted);
}

/** Deletes up to `limit` objects that were created before the time, oldest names first; yields how many. */
export async function deleteBatch(
  db: RequestDb,
  scope: RequestScope,
  options: { bucket: string; before: string; limit: number; graceSeconds: number },
): Promise<number> {
  const [deleted] = await db.run(scope, [
    compile(sql`with gone as (
        delete from storage.objects where id in (
          select id from storage.objects where bucket_id = ${options.bucket}
          and created_at < ${options.before}::timestamptz order by name collate "C" limit ${options.limit}
        ) returning bucket_id, name, version
      )
      select count(*), ${discarding(sql`json_agg(${discardJson(sql`bucket_id`, sql`name`, sql`version`, sql`null`)})`)}
      from gone`),
    ...enqueueDiscarded(options.graceSeconds),
  ]);
  return Number(deleted?.rows[0]?.[0] ?? 0);
}

/** A move: the row keeps its id and takes a new place, version and, for a caller with one, owner. */
export type Relocation = {
  readonly from: ObjectKey;
  readonly to: ObjectKey;
  /** Version that the row must still have; a changed one moves nothing. Null in a probe. */
  readonly oldVersion: string | null;
  readonly newVersion: string;
  readonly owner: string | null;
  readonly metadata: Json | null;
  /** What the row had until now. */
  readonly oldMetadata: Json | null;
};

const relocate = (move: Relocation): Sql => sql`update storage.objects set bucket_id = ${move.to.bucket},
  name = ${move.to.name}, version = ${move.newVersion},
  owner = coalesce(${deprecatedOwner(move.owner)}::uuid, owner), owner_id = coalesce(${move.owner}, owner_id)
  where ${keyIs(move.from)}`;

/** Tries a move as the request and takes it back; throws `NoSuchKey` when the request cannot see or touch the row. */
export async function probeMove(db: RequestDb, scope: RequestScope, move: Relocation): Promise<void> {
  const [seen, moved] = await db.probe(scope, [
    compile(sql`select id from storage.objects where ${keyIs(move.from)}`),
    compile(sql`${relocate(move)} returning *`),
  ]);
  if (seen?.rows.length !== 1 || moved?.affected !== 1) throw new StorageError('NoSuchKey');
}

/** Moves the row and hands the old version over; null when the row changed or went since it was read. */
export async function moveObject(
  db: RequestDb,
  scope: RequestScope,
  move: Relocation,
  { graceSeconds, announces }: Aftermath,
): Promise<ObjectRow | null> {
  const old = discardJson(
    sql`${move.from.bucket}::text`,
    sql`${move.from.name}::text`,
    sql`${move.oldVersion}::text`,
    sql`${JSON.stringify(move.oldMetadata)}::jsonb`,
  );
  const [moved] = await db.run(scope, [
    compile(sql`with moved as (
        update storage.objects set bucket_id = ${move.to.bucket}, name = ${move.to.name}, version = ${move.newVersion},
          owner = coalesce(${deprecatedOwner(move.owner)}::uuid, owner), owner_id = coalesce(${move.owner}, owner_id),
          metadata = coalesce(${move.metadata === null ? null : JSON.stringify(move.metadata)}::jsonb, metadata)
        where ${keyIs(move.from)} and version is not distinct from ${move.oldVersion} returning *
      ), noted as (
        select ${discarding(sql`(select json_build_array(${old}) from moved)`)}
      )
      select ${objectJson} from moved, noted`),
    ...enqueueDiscarded(graceSeconds),
    ...(announces ? announceMoved({ ...move.to, version: move.newVersion, metadata: move.metadata }) : []),
  ]);
  return jsonRows<ObjectRow>(moved)[0] ?? null;
}

/** Whether the row at the key has the version: how the outcome of a write is learned after a lost connection. */
export async function hasVersion(db: ServiceDb, key: ObjectKey, version: string): Promise<ObjectRow | null> {
  const rows = await db.query<{ object: ObjectRow }>(
    sql`select ${objectJson} as object from storage.objects where ${keyIs(key)} and version = ${version}`,
  );
  return rows[0]?.object ?? null;
}

/** Which of the names the bucket has, regardless of row security. */
export async function existingNames(
  db: ServiceDb,
  bucket: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ name: string }>(
    sql`select name from storage.objects where bucket_id = ${bucket} and name = any(${names}::text[])`,
  );
  return new Set(rows.map((row) => row.name));
}
