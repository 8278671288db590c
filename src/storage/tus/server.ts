import { Server, type ServerOptions, type Upload } from '@tus/server';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { report } from '../failures.ts';
import { requireAllowedMimeType } from '../mime-types.ts';
import { isFolderPlaceholder, requireBucketId, requireObjectName } from '../names.ts';
import { findBucket } from '../store/buckets.ts';
import type { BucketRow } from '../store/rows.ts';
import type { TusCall } from './call.ts';
import { refuse, wordsOf } from './errors.ts';
import { defaultType } from './finish.ts';
import { requireRights, requireSignature } from './grant.ts';
import { locationOf } from './location.ts';
import { Turn } from './turn.ts';
import { decodeUploadId, formatUploadId, parseUploadId, type UploadId } from './upload-id.ts';
import { UploadStore } from './upload-store.ts';
import type { UploadMetadata } from './uploads.ts';

/** How long a writer may go on when somebody else wants its upload: a dead connection must not hold up its client. */
const lockDrainTimeout = 1;

/**
 * The protocol for one request, with the rights of that request. `segment` is the last one of its path, or empty for
 * the protocol's own path.
 * Upstream: src/http/routes/tus/lifecycle.ts, whose hooks these are.
 */
export function createTusServer(call: TusCall, path: string, segment: string): Server {
  const { deps, request } = call;
  const isMaker = request.method === 'POST';
  const turn = new Turn(deps.locks, isMaker);
  const store = new UploadStore(call, turn);
  let bucket: BucketRow | null = null;
  const options: ServerOptions & { datastore: UploadStore } = {
    path,
    datastore: store,
    locker: turn,
    lockDrainTimeout,
    disableTerminationForFinishedUploads: true,
    allowedHeaders: ['Authorization', 'X-Upsert', 'Upload-Expires', 'ApiKey', 'x-signature'],
    getFileIdFromRequest: () => (segment === '' ? undefined : decodeUploadId(segment)),
    namingFunction: (_request, metadata) => newUploadId(deps, metadata),
    respectForwardedHeaders: true,
    generateUrl: (_request, seen) => locationOf(call, seen),
    async maxSize(_request, id) {
      if (id === null) return deps.config.fileSizeLimit;
      bucket = await requireBucket(deps, parseUploadId(id).bucket);
      return resumableLimit(deps, bucket);
    },
    async onIncomingRequest(_request, id) {
      const key = parseUploadId(id);
      if (call.isSigned) store.allow(await requireSignature(call, key));
      // What a maker may do is asked when its metadata are known.
      else if (!isMaker && request.method !== 'HEAD') {
        store.allow(await requireRights(call, key, await store.find(id)));
      }
    },
    async onUploadCreate(_request, upload) {
      const metadata = upload.metadata ?? {};
      if (!call.isSigned) {
        store.allow(
          await requireRights(call, parseUploadId(upload.id), { metadata, size: upload.size ?? null }),
        );
      }
      requireType(upload, bucket);
      return { metadata: { ...metadata, cacheControl: cacheControlOf(metadata) } };
    },
    onUploadFinish: async () => ({ headers: { 'Tus-Complete': '1' } }),
    onResponseError(_request, thrown) {
      const ours = wordsOf(thrown);
      if (ours === null) return undefined;
      report(deps, request, ours.error);
      return ours.words;
    },
  };
  return new Server(options);
}

function newUploadId(deps: StorageDeps, metadata: UploadMetadata | undefined): string {
  if (metadata === undefined) throw refuse.noMetadata();
  const id: UploadId = {
    bucket: metadata.bucketName ?? '',
    name: metadata.objectName ?? '',
    version: deps.random.uuid(),
  };
  requireBucketId(id.bucket);
  requireObjectName(id.name);
  return formatUploadId(id);
}

async function requireBucket(deps: StorageDeps, id: string): Promise<BucketRow> {
  const bucket = await findBucket(deps.serviceDb, id);
  if (bucket === null) throw new StorageError('NoSuchBucket');
  return bucket;
}

/** Largest object that a resumable upload to the bucket may become; a limit of 0 counts as none here. */
const resumableLimit = ({ config }: StorageDeps, bucket: BucketRow): number =>
  Math.min(config.fileSizeLimit, bucket.file_size_limit || config.fileSizeLimit);

/** Throws unless the bucket takes the upload's type; the sign of an empty folder has none. */
function requireType(upload: Upload, bucket: BucketRow | null): void {
  if (upload.size === 0 && isFolderPlaceholder(parseUploadId(upload.id).name)) return;
  requireAllowedMimeType(upload.metadata?.contentType ?? defaultType, bucket?.allowed_mime_types ?? null);
}

const cacheControlOf = ({ cacheControl }: UploadMetadata): string =>
  /^-?\d+$/.test(cacheControl ?? '') ? `max-age=${cacheControl}` : 'no-cache';
