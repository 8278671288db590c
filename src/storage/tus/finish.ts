import { createHash } from 'node:crypto';
import type { RequestScope } from '../../pg/session.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { digestOfPieces } from '../objects/piece-digest.ts';
import { metadataOfBlob, publishBlob } from '../objects/upload.ts';
import { parseMetadataField } from '../objects/user-metadata.ts';
import { hasVersion } from '../store/objects.ts';
import { enqueueSuspects } from '../store/outbox.ts';
import { refuse } from './errors.ts';
import { deleteUpload, recordFinish, type UploadMetadata, type UploadRecord } from './uploads.ts';

/** Type of an upload that names none. */
export const defaultType = 'application/octet-stream';

/** Whether every byte is there. */
export const isComplete = (upload: UploadRecord): boolean => upload.received === upload.size;

/**
 * Makes a complete upload's object visible. It may be repeated: after a crash between two steps the next request to the
 * upload takes it up where it was left. A key that was taken meanwhile ends the upload.
 */
export async function finishUpload(
  deps: StorageDeps,
  upload: UploadRecord,
  asService: RequestScope,
): Promise<void> {
  if (upload.isFinished) return;
  const key = { bucket: upload.bucket, name: upload.name };
  if ((await hasVersion(deps.serviceDb, key, upload.version)) === null) {
    await publishUpload(deps, upload, asService);
  }
  await recordFinish(deps.serviceDb, upload);
}

async function publishUpload(
  deps: StorageDeps,
  upload: UploadRecord,
  asService: RequestScope,
): Promise<void> {
  const key = { bucket: upload.bucket, name: upload.name };
  const isThere = await deps.store.growing.finish(upload.version, upload.version, upload.received);
  if (!isThere) throw refuse.notFound();
  const blob = {
    size: upload.received,
    md5: digestOf(upload.digests),
    modifiedAt: new Date(deps.clock.now()),
  };
  const file = {
    contentType: upload.metadata.contentType ?? defaultType,
    cacheControl: upload.metadata.cacheControl ?? 'no-cache',
    robotsTag: undefined,
  };
  try {
    await publishBlob(
      deps,
      { key, isUpsert: upload.isUpsert, asService, keepsBlob: true },
      {
        ...key,
        owner: upload.owner,
        version: upload.version,
        metadata: metadataOfBlob(blob, file),
        userMetadata: userMetadataOf(upload.metadata),
      },
    );
  } catch (thrown) {
    if (thrown instanceof StorageError && thrown.kind === 'KeyAlreadyExists') {
      await deleteUpload(deps.serviceDb, upload);
      await enqueueSuspects(deps.serviceDb, [upload], 0);
    }
    throw thrown;
  }
}

/** User metadata of an upload: JSON text under `metadata`; null for none. */
export const userMetadataOf = ({ metadata }: UploadMetadata) =>
  metadata ? parseMetadataField(metadata) : null;

/** MD5 of one piece, or, of several, what S3 makes of theirs. */
function digestOf(digests: readonly string[]): string {
  const [only] = digests;
  if (only === undefined) return createHash('md5').digest('hex');
  return digests.length === 1 ? only : digestOfPieces(digests);
}
