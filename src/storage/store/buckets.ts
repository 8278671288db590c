import type { RequestDb, RequestScope, ServiceDb } from '../../pg/session.ts';
import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import { StorageError } from '../errors.ts';
import { isUuid } from '../names.ts';
import { type BucketRow, bucketJson, jsonRows } from './rows.ts';

/** A bucket to be made. */
export type NewBucket = {
  readonly id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly isPublic: boolean;
  readonly fileSizeLimit: number | null;
  readonly allowedMimeTypes: readonly string[] | null;
};

/** Inserts a bucket as the request; throws `BucketAlreadyExists` for a taken id or name. */
export async function insertBucket(db: RequestDb, scope: RequestScope, bucket: NewBucket): Promise<void> {
  const statement = sql`insert into storage.buckets
    (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types, type)
    values (${bucket.id}, ${bucket.name}, ${bucket.owner !== null && isUuid(bucket.owner) ? bucket.owner : null},
      ${bucket.owner}, ${bucket.isPublic}, ${bucket.fileSizeLimit}, ${bucket.allowedMimeTypes}, 'STANDARD')`;
  try {
    await db.run(scope, [compile(statement)]);
  } catch (thrown) {
    if ((thrown as { sqlstate?: unknown }).sqlstate !== '23505') throw thrown;
    throw new StorageError('BucketAlreadyExists', bucket.id, { cause: thrown });
  }
}

/** Columns that a listing may be sorted by. */
type BucketSort = 'id' | 'name' | 'created_at' | 'updated_at';

/** Which buckets to list. */
export type BucketListing = {
  readonly limit: number | undefined;
  readonly offset: number | undefined;
  readonly sortColumn: BucketSort | undefined;
  readonly sortOrder: 'asc' | 'desc' | undefined;
  readonly search: string | undefined;
};

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** The buckets that the request sees. */
export async function listBuckets(
  db: RequestDb,
  scope: RequestScope,
  listing: BucketListing,
): Promise<BucketRow[]> {
  const { search, sortColumn, sortOrder, limit, offset } = listing;
  const parts: Sql[] = [sql`select ${bucketJson} from storage.buckets`];
  if (search !== undefined && search !== '') parts.push(sql`where name ilike ${`%${escapeLike(search)}%`}`);
  if (sortColumn !== undefined) {
    parts.push(sql`order by ${sql.ident(sortColumn)} ${sql.keyword(sortOrder ?? 'asc')}`);
  }
  if (limit !== undefined) parts.push(sql`limit ${limit}`);
  if (offset !== undefined) parts.push(sql`offset ${offset}`);
  const [found] = await db.run(scope, [compile(sql.join(parts, ' '))]);
  return jsonRows<BucketRow>(found);
}

/** The bucket as the request sees it; throws `NoSuchBucket` when it is missing or hidden. */
export async function getBucket(db: RequestDb, scope: RequestScope, id: string): Promise<BucketRow> {
  const [found] = await db.run(scope, [
    compile(sql`select ${bucketJson} from storage.buckets where id = ${id}`),
  ]);
  const [row] = jsonRows<BucketRow>(found);
  if (row === undefined) throw new StorageError('NoSuchBucket');
  return row;
}

/** The bucket regardless of row security; null when there is none. */
export async function findBucket(db: ServiceDb, id: string): Promise<BucketRow | null> {
  const rows = await db.query<{ bucket: BucketRow }>(
    sql`select ${bucketJson} as bucket from storage.buckets where id = ${id}`,
  );
  return rows[0]?.bucket ?? null;
}

/** What an update changes; undefined leaves a column, null clears it. */
export type BucketChanges = {
  readonly isPublic: boolean | undefined;
  readonly fileSizeLimit: number | null | undefined;
  readonly allowedMimeTypes: readonly string[] | null | undefined;
};

/** Updates a bucket as the request, which must see it too; throws `NoSuchBucket` when nothing was updated. */
export async function updateBucket(
  db: RequestDb,
  scope: RequestScope,
  id: string,
  changes: BucketChanges,
): Promise<void> {
  const columns = [
    changes.isPublic === undefined ? null : sql`public = ${changes.isPublic}`,
    changes.fileSizeLimit === undefined ? null : sql`file_size_limit = ${changes.fileSizeLimit}`,
    changes.allowedMimeTypes === undefined ? null : sql`allowed_mime_types = ${changes.allowedMimeTypes}`,
  ].filter((column) => column !== null);
  const [updated] = await db.run(scope, [
    compile(sql`update storage.buckets set ${sql.join(columns)} where id = ${id} returning public`),
  ]);
  if (updated?.affected !== 1) throw new StorageError('NoSuchBucket');
}

/** Deletes an empty bucket as the request; throws `NoSuchBucket` when no policy lets it, or it is gone. */
export async function deleteBucket(db: RequestDb, scope: RequestScope, id: string): Promise<void> {
  const [deleted] = await db.run(scope, [
    compile(
      sql`with gone as (delete from storage.buckets where id = ${id} returning id) select id from gone`,
    ),
  ]);
  if (deleted?.rows.length !== 1) throw new StorageError('NoSuchBucket');
}

/** Whether the bucket exists, and whether anything is in it, regardless of row security. */
export async function bucketState(
  db: ServiceDb,
  id: string,
): Promise<{ readonly exists: boolean; readonly hasObjects: boolean }> {
  const rows = await db.query<{ exists: boolean; hasObjects: boolean }>(sql`select
    exists (select from storage.buckets where id = ${id}) as exists,
    exists (select from storage.objects where bucket_id = ${id}) as "hasObjects"`);
  return rows[0] ?? { exists: false, hasObjects: false };
}

/** Counts a bucket's objects, up to the limit. */
export async function countObjects(db: ServiceDb, id: string, limit: number): Promise<number> {
  const rows = await db.query<{ count: number }>(sql`select count(*)::int as count
    from (select from storage.objects where bucket_id = ${id} limit ${limit}) as counted`);
  return rows[0]?.count ?? 0;
}
