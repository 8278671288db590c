import { endsConnection, PgFailure } from '../../pg/failure.ts';
import type { RequestScope } from '../../pg/session.ts';
import { BlobTooLarge, type StoredBlob } from '../backends/object-store.ts';
import type { StorageInput } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { requireAllowedMimeType } from '../mime-types.ts';
import { isFolderPlaceholder, requireObjectName } from '../names.ts';
import { serviceRole } from '../principal.ts';
import { findBucket } from '../store/buckets.ts';
import {
  type FinishedObject,
  hasVersion,
  locate,
  type ObjectKey,
  type ProposedObject,
  probeWrite,
  publish,
} from '../store/objects.ts';
import { enqueueSuspects } from '../store/outbox.ts';
import type { BucketRow, Json, ObjectMetadata, ObjectRow } from '../store/rows.ts';
import { aftermathOf } from './aftermath.ts';
import type { IncomingFile } from './incoming.ts';

/*
 * bucket rules + the request's rights (rolled back)  ->  blob under a fresh version, durable
 *   ->  one transaction: row, and the replaced version into the outbox  ->  answer  ->  the worker deletes old blobs
 *
 * A failure before the transaction leaves an unreferenced blob at most, which is removed on the way out; a transaction
 * whose outcome is unknown is looked up, and its blob is never removed here.
 */

/** What uploads are made of. */
type UploadDeps = Pick<StorageInput, 'config' | 'requestDb' | 'serviceDb' | 'store' | 'random'>;

/** An upload that may begin. */
export type Upload = {
  readonly key: ObjectKey;
  readonly owner: string | null;
  readonly isUpsert: boolean;
  /** Scope of the rights check; null where a signed token already stands for it. */
  readonly asRequest: RequestScope | null;
  readonly asService: RequestScope;
};

/** Stores an incoming file and makes it visible. Throws `StorageError`. */
export async function uploadFile(deps: UploadDeps, upload: Upload, file: IncomingFile): Promise<ObjectRow> {
  const maxBytes = await admit(deps, upload, file);
  const version = deps.random.uuid();
  const blob = await storeBody(deps, version, file, maxBytes);
  if (blob.size < (file.sizes?.min ?? 0)) {
    await deps.store.remove([version]);
    throw new StorageError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
  }
  return publishBlob(deps, upload, {
    ...upload.key,
    owner: upload.owner,
    version,
    metadata: metadataOfBlob(blob, file),
    userMetadata: file.userMetadata ?? {},
  });
}

/** Checks the bucket's rules and the request's rights, both asked for at once; yields the size limit in bytes. */
async function admit(deps: UploadDeps, upload: Upload, file: IncomingFile): Promise<number> {
  const { key } = upload;
  const isNameChecked = attempt(() => requireObjectName(key.name));
  const mayWrite = isNameChecked === null ? checkRights(deps, upload, file) : Promise.reject(isNameChecked);
  const [bucket, rights] = await Promise.allSettled([findBucket(deps.serviceDb, key.bucket), mayWrite]);
  if (bucket.status === 'rejected') throw bucket.reason;
  const maxBytes = requireBucketRules(deps, bucket.value, key, file);
  if (rights.status === 'rejected') throw rights.reason;
  return maxBytes;
}

function attempt(check: () => void): unknown {
  try {
    check();
    return null;
  } catch (thrown) {
    return thrown;
  }
}

function checkRights(deps: UploadDeps, upload: Upload, file: IncomingFile): Promise<void> {
  const { asRequest } = upload;
  // Row security does not bind the service role, so there is nothing to try that the write itself does not find out.
  const isBound = asRequest !== null && asRequest.role !== serviceRole;
  if (!isBound) return refuseTakenKey(deps, upload);
  return probeWrite(deps.requestDb, asRequest, proposalOf(upload, file), upload.isUpsert);
}

/** A taken key is refused before the body is read; the write finds one that is taken later. */
export async function refuseTakenKey(
  deps: Pick<UploadDeps, 'serviceDb'>,
  { key, isUpsert }: Pick<Upload, 'key' | 'isUpsert'>,
): Promise<void> {
  if (isUpsert) return;
  const located = await locate(deps.serviceDb, key);
  if (located !== null && located.object !== null) throw new StorageError('KeyAlreadyExists', key.name);
}

const proposalOf = (upload: Upload, file: IncomingFile): ProposedObject => ({
  ...upload.key,
  owner: upload.owner,
  metadata: { mimetype: file.contentType, contentLength: file.declaredBytes },
  userMetadata: file.userMetadata,
});

/** What a bucket asks of a file; throws `NoSuchBucket`, `InvalidMimeType` or `EntityTooLarge`. */
function requireBucketRules(
  deps: UploadDeps,
  bucket: BucketRow | null,
  key: ObjectKey,
  file: IncomingFile,
): number {
  if (bucket === null) throw new StorageError('NoSuchBucket');
  const isPlaceholder = isFolderPlaceholder(key.name);
  if (!isPlaceholder) requireAllowedMimeType(file.contentType, bucket.allowed_mime_types);
  const maxBytes = isPlaceholder
    ? 0
    : Math.min(standardLimit(deps, bucket), file.sizes?.max ?? Number.MAX_SAFE_INTEGER);
  if ((file.knownBytes ?? 0) > maxBytes) throw new StorageError('EntityTooLarge');
  return maxBytes;
}

/** Largest object that a standard upload to the bucket may have, in bytes. */
export function standardLimit({ config }: Pick<StorageInput, 'config'>, bucket: BucketRow): number {
  const limits = [config.fileSizeLimit, config.standardFileSizeLimit || null, bucket.file_size_limit];
  return Math.min(...limits.filter((limit) => limit !== null));
}

async function storeBody(
  deps: UploadDeps,
  version: string,
  file: IncomingFile,
  maxBytes: number,
): Promise<StoredBlob> {
  try {
    return await deps.store.put(version, file.body, { maxBytes });
  } catch (thrown) {
    throw bodyFailure(thrown, file);
  }
}

/** A body's end by its limit or its client, told apart from a store that failed. */
export function bodyFailure(
  thrown: unknown,
  file: { readonly body: { readonly errored: Error | null } },
): unknown {
  if (thrown instanceof BlobTooLarge) return new StorageError('EntityTooLarge', '', { cause: thrown });
  if (thrown instanceof StorageError) return thrown;
  const isBodys =
    file.body.errored !== null || (thrown as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE';
  if (!isBodys) return thrown;
  return new StorageError('NoContentProvided', 'Request stream closed before upload could complete', {
    cause: thrown,
    closesConnection: true,
  });
}

/** The metadata of a stored blob, as rows hold it. */
export function metadataOfBlob(
  blob: StoredBlob,
  file: {
    readonly contentType: string;
    readonly cacheControl: string;
    readonly robotsTag: string | undefined;
  },
): ObjectMetadata {
  return {
    eTag: `"${blob.md5}"`,
    size: blob.size,
    mimetype: file.contentType,
    cacheControl: file.cacheControl,
    lastModified: blob.modifiedAt.toISOString(),
    contentLength: blob.size,
    httpStatusCode: 200,
    ...(file.robotsTag === undefined ? {} : { xRobotsTag: file.robotsTag }),
  };
}

/** What becomes visible. */
export type Publication = FinishedObject & { readonly metadata: ObjectMetadata | Json };

/** How a blob becomes visible. */
type PublicationRules = Pick<Upload, 'key' | 'isUpsert' | 'asService'> & {
  readonly isCopy?: boolean;
  /** Leaves the blob when its row is refused: its bytes were acknowledged, and the client tries again. */
  readonly keepsBlob?: boolean;
};

/**
 * Makes a stored blob visible under its key, or removes it again. When the connection is lost on the way, the row is
 * looked up: what was committed is answered as done.
 */
export async function publishBlob(
  deps: UploadDeps,
  upload: PublicationRules,
  object: Publication,
): Promise<ObjectRow> {
  const { isUpsert, isCopy = false, keepsBlob = false } = upload;
  try {
    return await publish(deps.requestDb, upload.asService, object, {
      isUpsert,
      isCopy,
      ...aftermathOf(deps.config),
    });
  } catch (thrown) {
    return settleFailedWrite(deps, { key: upload.key, version: object.version, keepsBlob }, thrown);
  }
}

/** A write that failed on its last step. */
type FailedWrite = { readonly key: ObjectKey; readonly version: string; readonly keepsBlob?: boolean };

/** Ends a write that failed: found committed, it yields the row; else it throws, and the blob goes. */
export async function settleFailedWrite(
  deps: UploadDeps,
  { key, version, keepsBlob = false }: FailedWrite,
  thrown: unknown,
): Promise<ObjectRow> {
  // Whatever ended the connection, the commit may have come before it.
  const isUnknown = thrown instanceof PgFailure && endsConnection(thrown) && thrown.sqlstate !== notConnected;
  if (!isUnknown) {
    if (!keepsBlob) await deps.store.remove([version]);
    throw thrown;
  }
  const row = await hasVersion(deps.serviceDb, key, version);
  if (row !== null) return row;
  if (!keepsBlob) await enqueueSuspects(deps.serviceDb, [{ ...key, version }], suspectSeconds);
  throw thrown;
}

/** SQLSTATE of a connection that was never made. */
const notConnected = '08001';

/** A server that lost its client may still commit for a while. */
const suspectSeconds = 3600;
