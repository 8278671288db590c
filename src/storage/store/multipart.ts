import type { RequestDb, RequestScope, ServiceDb } from '../../pg/session.ts';
import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import type { ObjectKey } from './objects.ts';
import { isoTime, type Json, jsonRows } from './rows.ts';

/** An upload in parts that has not been completed. */
export type MultipartUpload = {
  readonly id: string;
  readonly version: string;
  readonly metadata: Json | null;
  readonly user_metadata: Json | null;
};

/** A part that is stored. */
export type StoredPart = {
  /** Id of its bytes in the object store. */
  readonly id: string;
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly createdAt: string;
};

/** Records a new upload in parts. */
export async function insertMultipart(
  db: ServiceDb,
  key: ObjectKey,
  upload: MultipartUpload & { readonly owner: string | null },
): Promise<void> {
  await db.query(sql`insert into storage.s3_multipart_uploads
    (id, bucket_id, key, version, upload_signature, owner_id, metadata, user_metadata)
    values (${upload.id}, ${key.bucket}, ${key.name}, ${upload.version}, '', ${upload.owner},
      ${upload.metadata === null ? null : JSON.stringify(upload.metadata)}::jsonb,
      ${upload.user_metadata === null ? null : JSON.stringify(upload.user_metadata)}::jsonb)`);
}

/** The upload of this id, if it is for this object. */
export async function findMultipart(
  db: ServiceDb,
  key: ObjectKey,
  id: string,
): Promise<MultipartUpload | null> {
  const rows = await db.query<MultipartUpload>(sql`select id, version, metadata, user_metadata
    from storage.s3_multipart_uploads where id = ${id} and bucket_id = ${key.bucket} and key = ${key.name}`);
  return rows[0] ?? null;
}

/** Records a part in place of one of the same number, and the upload's progress. */
export async function recordPart(
  db: ServiceDb,
  key: ObjectKey,
  upload: MultipartUpload,
  part: Omit<StoredPart, 'createdAt'> & { readonly owner: string | null },
): Promise<void> {
  await db.query(sql`with replaced as (
      delete from storage.s3_multipart_uploads_parts where upload_id = ${upload.id} and part_number = ${part.number}
      returning size
    ), progress as (
      update storage.s3_multipart_uploads
      set in_progress_size = in_progress_size + ${part.size}::bigint - coalesce((select sum(size) from replaced), 0)
      where id = ${upload.id}
    )
    insert into storage.s3_multipart_uploads_parts
      (id, upload_id, size, part_number, bucket_id, key, etag, owner_id, version)
    values (${part.id}, ${upload.id}, ${part.size}, ${part.number}, ${key.bucket}, ${key.name}, ${part.etag}, ${part.owner},
      ${upload.version})`);
}

const partJson: Sql = sql`json_build_object('id', id, 'number', part_number, 'etag', etag, 'size', size,
  'createdAt', ${isoTime(sql`created_at`)})`;

/** Every part of an upload, by number. */
export async function allParts(db: ServiceDb, id: string): Promise<StoredPart[]> {
  // Of two that arrived at once under one number the later counts.
  const rows = await db.query<{ part: StoredPart }>(sql`select distinct on (part_number) ${partJson} as part
    from storage.s3_multipart_uploads_parts where upload_id = ${id} order by part_number, created_at desc, id`);
  return rows.map((row) => row.part);
}

/** Parts behind a number as the request sees them. */
export async function listParts(
  db: RequestDb,
  scope: RequestScope,
  options: { id: string; after: number; limit: number },
): Promise<StoredPart[]> {
  const [found] = await db.run(scope, [
    compile(sql`select ${partJson} from storage.s3_multipart_uploads_parts
      where upload_id = ${options.id} and part_number > ${options.after}::int order by part_number limit ${options.limit}`),
  ]);
  return jsonRows<StoredPart>(found);
}

/** Forgets an upload and its parts. */
export async function deleteMultipart(db: ServiceDb, id: string): Promise<void> {
  await db.query(sql`delete from storage.s3_multipart_uploads where id = ${id}`);
}

/** One page of uploads in parts. */
export type MultipartListing = {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  readonly afterKey: string;
  readonly afterId: string;
};

/** An upload of a listing; a folder has no id. */
export type ListedMultipart = { readonly key: string; readonly id: string; readonly createdAt: string };

/** Uploads in parts as the request sees them. */
export async function listMultiparts(
  db: RequestDb,
  scope: RequestScope,
  page: MultipartListing,
): Promise<ListedMultipart[]> {
  const rowJson = sql`json_build_object('key', key, 'id', id, 'createdAt', ${isoTime(sql`created_at`)})`;
  // A key alone passes over all of its uploads.
  const behind =
    page.afterId === ''
      ? sql`key collate "C" > ${page.afterKey}`
      : sql`(key collate "C", id) > (${page.afterKey}, ${page.afterId})`;
  const statement =
    page.delimiter === ''
      ? sql`select ${rowJson} from storage.s3_multipart_uploads where bucket_id = ${page.bucket}
          and starts_with(key, ${page.prefix}) and ${behind}
          order by key collate "C", id limit ${page.limit}`
      : sql`select ${rowJson} from storage.list_multipart_uploads_with_delimiter(${page.bucket}, ${page.prefix},
          ${page.delimiter}, ${page.limit}, ${page.afterKey}, ${page.afterId})`;
  const [found] = await db.run(scope, [compile(statement)]);
  return jsonRows<ListedMultipart>(found);
}
