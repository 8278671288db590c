import type { HttpReply } from '../../http/exchange.ts';
import type { StorageDeps } from '../deps.ts';
import {
  expiryOf,
  requireBucket,
  requireGrant,
  requireSignature,
  resumableLimit,
  serviceScope,
  type TusCall,
} from './create.ts';
import { finishUpload, isComplete } from './finish.ts';
import { pieceLimit, receivePiece, type Turn } from './receive.ts';
import { decodeUploadId, type UploadId } from './upload-id.ts';
import { deleteUpload, findUpload, type UploadRecord } from './uploads.ts';
import { formatMetadata, refuse, tusReply } from './wire.ts';

/** Finds an upload; throws when there is none, or its time is over. */
async function requireUpload({ serviceDb, clock }: StorageDeps, id: UploadId): Promise<UploadRecord> {
  const upload = await findUpload(serviceDb, id);
  if (upload === null) throw refuse.notFound();
  if (!upload.isFinished && upload.expiresAtMs < clock.now()) throw refuse.gone();
  return upload;
}

/** Runs work as the upload's only writer. */
async function asWriter<T>(call: TusCall, id: UploadId, work: (turn: Turn) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let failure: Error | null = null;
  const release = await call.deps.locks.acquire(id.version, (lost) => {
    failure ??= lost ?? null;
    controller.abort();
  });
  try {
    return await work({
      signal: controller.signal,
      requireHeld() {
        if (failure !== null) throw failure;
      },
    });
  } finally {
    await release();
  }
}

/** `PATCH`: takes the next piece; the last one makes the object visible. */
export async function patchUpload(call: TusCall, segment: string): Promise<HttpReply> {
  const { deps, request } = call;
  const { headers } = request;
  if (segment === '') throw refuse.notFound();
  if (headers['upload-offset'] === undefined) throw refuse.noOffset();
  if (headers['content-type'] === undefined) throw refuse.noContentType();
  const id = decodeUploadId(segment);
  const known = await requireUpload(deps, id);
  const grant = await requireGrant(call, id, known);
  const maxBytes = resumableLimit(deps, await requireBucket(deps, id.bucket));
  return asWriter(call, id, async (turn) => {
    const found = { ...(await requireUpload(deps, id)), ...grant };
    if (found.received !== Number(headers['upload-offset'])) throw refuse.offsetConflict();
    // An upload that is an object by now takes no more bytes, only the same answer.
    if (found.isFinished && headers['upload-length'] === undefined) return afterPiece(call, found);
    const upload = declareSize(found, headers['upload-length'], maxBytes);
    const limit = pieceLimit(upload, maxBytes, headers['content-length']);
    const { upload: received, isInterrupted } = await receivePiece(deps, upload, request.body, limit, turn);
    if (isInterrupted) throw refuse.interrupted();
    return afterPiece(call, { ...received, ...grant });
  });
}

async function afterPiece(call: TusCall, upload: UploadRecord): Promise<HttpReply> {
  const complete = isComplete(upload);
  if (complete) await finishUpload(call.deps, upload, serviceScope(call));
  return tusReply(204, {
    'upload-offset': upload.received,
    ...(complete ? { 'tus-complete': '1' } : { 'upload-expires': expiryOf(upload) }),
  });
}

/** The length that was put off at creation, once, within the limit. */
function declareSize(
  upload: UploadRecord,
  length: string | string[] | undefined,
  maxBytes: number,
): UploadRecord {
  if (length === undefined) return upload;
  const size = Number(length);
  if (upload.size !== null || size < upload.received) throw refuse.noLength();
  if (size > maxBytes) throw refuse.maxSizeExceeded();
  return { ...upload, size };
}

/**
 * `HEAD`: says how far an upload is. One whose last byte arrived before a crash is finished here, since its client
 * takes the full length for success.
 */
export async function showUpload(call: TusCall, segment: string): Promise<HttpReply> {
  const { deps } = call;
  if (segment === '') throw refuse.notFound();
  const id = decodeUploadId(segment);
  if (call.isSigned) await requireSignature(call, id);
  const upload = await asWriter(call, id, async () => {
    const found = await requireUpload(deps, id);
    if (isComplete(found)) await finishUpload(deps, found, serviceScope(call));
    return found;
  });
  return tusReply(200, {
    'cache-control': 'no-store',
    'upload-offset': upload.received,
    ...(upload.size === null ? { 'upload-defer-length': '1' } : { 'upload-length': upload.size }),
    'upload-metadata': formatMetadata(upload.metadata),
  });
}

/** `DELETE`: gives an unfinished upload up. */
export async function terminateUpload(call: TusCall, segment: string): Promise<HttpReply> {
  const { deps } = call;
  if (segment === '') throw refuse.notFound();
  const id = decodeUploadId(segment);
  const known = await requireUpload(deps, id);
  await requireGrant(call, id, known);
  return asWriter(call, id, async () => {
    const upload = await requireUpload(deps, id);
    if (isComplete(upload)) throw refuse.finished();
    await deleteUpload(deps.serviceDb, upload);
    await deps.store.growing.discard(upload.version);
    return tusReply(204);
  });
}
