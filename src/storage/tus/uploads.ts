import type { ServiceDb } from '../../pg/session.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { UploadId } from './upload-id.ts';

/** The metadata of an upload: values by key; a key without a value has null. */
export type UploadMetadata = Readonly<Record<string, string | null>>;

/** How far an upload has come. */
export type UploadRecord = UploadId & {
  /** Null while the client has not said it. */
  readonly size: number | null;
  readonly received: number;
  readonly digests: readonly string[];
  readonly metadata: UploadMetadata;
  readonly owner: string | null;
  readonly isUpsert: boolean;
  readonly isFinished: boolean;
  readonly expiresAtMs: number;
};

const columns: Sql = sql`json_build_object('version', version, 'bucket', bucket_id, 'name', name, 'size', size,
  'received', received, 'digests', digests, 'metadata', metadata, 'owner', owner_id, 'isUpsert', is_upsert,
  'isFinished', is_finished, 'expiresAtMs', floor(extract(epoch from expires_at) * 1000)) as record`;

/** Metadata is stored as a list of pairs: its order is the client's. */
type Row = {
  readonly record: Omit<UploadRecord, 'metadata'> & {
    readonly metadata: readonly (readonly [string, string | null])[];
  };
};

const recordOf = ({ record }: Row): UploadRecord => ({
  ...record,
  metadata: Object.fromEntries(record.metadata),
});

/** A new upload. */
export type NewUpload = Omit<UploadRecord, 'received' | 'digests' | 'isFinished'>;

/** Records a new upload. */
export async function insertUpload(db: ServiceDb, upload: NewUpload): Promise<UploadRecord> {
  const rows = await db.query<Row>(sql`insert into ownbase.resumable_upload
    (version, bucket_id, name, size, metadata, owner_id, is_upsert, expires_at)
    values (${upload.version}, ${upload.bucket}, ${upload.name}, ${upload.size},
      ${JSON.stringify(Object.entries(upload.metadata))}::jsonb, ${upload.owner}, ${upload.isUpsert},
      to_timestamp(${upload.expiresAtMs}::float8 / 1000))
    returning ${columns}`);
  const [row] = rows;
  if (row === undefined) throw new Error('an insert returned no row');
  return recordOf(row);
}

/** The record of exactly this upload: its version, in this bucket, under this name. */
export async function findUpload(db: ServiceDb, id: UploadId): Promise<UploadRecord | null> {
  const rows = await db.query<Row>(sql`select ${columns} from ownbase.resumable_upload
    where version = ${id.version} and bucket_id = ${id.bucket} and name = ${id.name}`);
  return rows[0] === undefined ? null : recordOf(rows[0]);
}

/** Records a piece that is durable; null when another process has moved on from the offset that was read. */
export async function recordPiece(
  db: ServiceDb,
  upload: UploadRecord,
  piece: { readonly size: number; readonly md5: string },
): Promise<UploadRecord | null> {
  const rows = await db.query<Row>(sql`update ownbase.resumable_upload
    set received = received + ${piece.size},
      digests = digests || case when ${piece.size}::bigint = 0 then '{}' else array[${piece.md5}::text] end
    where version = ${upload.version} and received = ${upload.received} returning ${columns}`);
  return rows[0] === undefined ? null : recordOf(rows[0]);
}

/** Records the length that was put off at creation. */
export async function declareSize(db: ServiceDb, upload: UploadId, size: number): Promise<void> {
  await db.query(sql`update ownbase.resumable_upload set size = ${size} where version = ${upload.version}`);
}

/** Records that the upload's object is visible. */
export async function recordFinish(db: ServiceDb, upload: UploadId): Promise<void> {
  await db.query(
    sql`update ownbase.resumable_upload set is_finished = true where version = ${upload.version}`,
  );
}

/** Forgets an upload. */
export async function deleteUpload(db: ServiceDb, upload: UploadId): Promise<void> {
  await db.query(sql`delete from ownbase.resumable_upload where version = ${upload.version}`);
}

/** Forgets uploads that have expired and yields those whose bytes are still to be discarded. */
export async function deleteExpired(db: ServiceDb, nowMs: number, limit: number): Promise<UploadId[]> {
  const rows = await db.query<UploadId & { isFinished: boolean }>(sql`delete from ownbase.resumable_upload
    where version in (select version from ownbase.resumable_upload
      where expires_at < to_timestamp(${nowMs}::float8 / 1000) limit ${limit} for update skip locked)
    returning version, bucket_id as bucket, name, is_finished as "isFinished"`);
  return rows.filter((row) => !row.isFinished);
}
