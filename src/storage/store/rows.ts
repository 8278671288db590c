import type { StepResult } from '../../pg/pipeline.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';

/** A JSON object as it is stored. */
export type Json = Readonly<Record<string, unknown>>;

/** What `storage.objects.metadata` holds once an upload is complete. */
export type ObjectMetadata = {
  readonly eTag: string;
  readonly size: number;
  readonly mimetype: string;
  readonly cacheControl: string;
  readonly lastModified: string;
  readonly contentLength: number;
  readonly httpStatusCode: number;
  readonly xRobotsTag?: string;
};

/** A row of `storage.objects`, times as ISO text with milliseconds. */
export type ObjectRow = {
  readonly id: string;
  readonly name: string;
  readonly bucket_id: string;
  readonly owner: string | null;
  readonly owner_id: string | null;
  readonly version: string | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
  readonly last_accessed_at: string | null;
  /** Owners may write any JSON here by SQL: read it through `metadataOf`. */
  readonly metadata: Json | null;
  readonly user_metadata: Json | null;
};

/** A row of `storage.buckets`. */
export type BucketRow = {
  readonly id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly public: boolean;
  readonly type: string;
  readonly file_size_limit: number | null;
  readonly allowed_mime_types: readonly string[] | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
};

const isoFormat = sql`'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

/** A timestamp column as ISO text: UTC, milliseconds, `Z`. */
export const isoTime = (column: Sql): Sql => sql`to_char(${column} at time zone 'UTC', ${isoFormat})`;

/** The row as one JSON value; the columns are those of the table in scope. */
export const objectJson: Sql = sql`json_build_object('id', id, 'name', name, 'bucket_id', bucket_id, 'owner', owner,
  'owner_id', owner_id, 'version', version, 'created_at', ${isoTime(sql`created_at`)},
  'updated_at', ${isoTime(sql`updated_at`)}, 'last_accessed_at', ${isoTime(sql`last_accessed_at`)},
  'metadata', metadata, 'user_metadata', user_metadata)`;

/** As `objectJson`, for buckets. */
export const bucketJson: Sql = sql`json_build_object('id', id, 'name', name, 'owner', owner,
  'public', coalesce(public, false), 'type', type, 'file_size_limit', file_size_limit,
  'allowed_mime_types', allowed_mime_types, 'created_at', ${isoTime(sql`created_at`)},
  'updated_at', ${isoTime(sql`updated_at`)})`;

/** Reads the rows of a statement whose only column is JSON. */
export function jsonRows<Row>(result: StepResult | undefined): Row[] {
  // The statement that built the JSON stands beside the type that names its keys.
  return (result?.rows ?? []).flatMap(([text]) => (text == null ? [] : [JSON.parse(text) as Row]));
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const number = (value: unknown): number | undefined => {
  const parsed = typeof value === 'string' ? Number(value) : value;
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined;
};

/** The members of stored metadata that have the type they should have. */
export function metadataOf(stored: Json | null): Partial<ObjectMetadata> {
  const raw = stored ?? {};
  const found = {
    eTag: text(raw.eTag),
    size: number(raw.size),
    mimetype: text(raw.mimetype),
    cacheControl: text(raw.cacheControl),
    lastModified: text(raw.lastModified),
    contentLength: number(raw.contentLength),
    httpStatusCode: number(raw.httpStatusCode),
    xRobotsTag: text(raw.xRobotsTag),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
