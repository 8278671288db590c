import { Readable } from 'node:stream';
import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import type { RequestScope } from '../../pg/session.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { requireAllowedMimeType } from '../mime-types.ts';
import { isFolderPlaceholder, requireBucketId, requireObjectName } from '../names.ts';
import { refuseTakenKey } from '../objects/upload.ts';
import { type Principal, serviceRole } from '../principal.ts';
import { factsOf, requestScope, servicePrincipal } from '../scope.ts';
import { verifySigned } from '../signed/tokens.ts';
import { findBucket } from '../store/buckets.ts';
import { probeWrite } from '../store/objects.ts';
import type { BucketRow } from '../store/rows.ts';
import { defaultType, finishUpload, isComplete, userMetadataOf } from './finish.ts';
import { makersTurn, pieceLimit, receivePiece } from './receive.ts';
import { encodeUploadId, type UploadId } from './upload-id.ts';
import { insertUpload, type UploadRecord } from './uploads.ts';
import { parseMetadata, pieceType, refuse, tusReply, type UploadMetadata } from './wire.ts';

/** A request of the protocol, authenticated or signed. */
export type TusCall = {
  readonly deps: StorageDeps;
  readonly request: HttpRequest;
  readonly principal: Principal;
  readonly operation: string;
  readonly isSigned: boolean;
};

/** What a request may do to an upload. */
export type Grant = { readonly owner: string | null; readonly isUpsert: boolean };

/** The scope of the write that makes the object visible. */
export const serviceScope = ({ request, operation }: TusCall): RequestScope =>
  requestScope(servicePrincipal, factsOf(request, operation));

/** The terms of a signed upload; throws unless the request's signature is for this object. */
export async function requireSignature(
  { deps, request }: TusCall,
  id: Omit<UploadId, 'version'>,
): Promise<Grant> {
  const signature = request.headers['x-signature'];
  if (typeof signature !== 'string' || signature === '') {
    throw new StorageError('InvalidSignature', 'Missing x-signature header');
  }
  return verifySigned(deps.verifier, signature, 'upload', `${id.bucket}/${id.name}`);
}

/** Whether the request may write the object: its signature says so, or its role's policies do. */
export async function requireGrant(
  call: TusCall,
  id: Omit<UploadId, 'version'>,
  facts: { readonly metadata: UploadMetadata; readonly size: number | null },
): Promise<Grant> {
  if (call.isSigned) return requireSignature(call, id);
  const { deps, request, principal } = call;
  const isUpsert = request.headers['x-upsert'] === 'true';
  if (principal.role !== serviceRole) {
    const proposal = {
      bucket: id.bucket,
      name: id.name,
      owner: principal.owner,
      metadata: { mimetype: facts.metadata.contentType ?? undefined, contentLength: facts.size ?? undefined },
      userMetadata: userMetadataOf(facts.metadata),
    };
    await probeWrite(
      deps.requestDb,
      requestScope(principal, factsOf(request, call.operation)),
      proposal,
      isUpsert,
    );
  } else {
    await refuseTakenKey(deps, { key: id, isUpsert });
  }
  return { owner: principal.owner, isUpsert };
}

/** Largest object that a resumable upload to the bucket may become; a limit of 0 counts as none here. */
export const resumableLimit = ({ config }: StorageDeps, bucket: BucketRow): number =>
  Math.min(config.fileSizeLimit, bucket.file_size_limit || config.fileSizeLimit);

/** Finds the bucket of an upload; throws `NoSuchBucket`. */
export async function requireBucket(deps: StorageDeps, id: string): Promise<BucketRow> {
  const bucket = await findBucket(deps.serviceDb, id);
  if (bucket === null) throw new StorageError('NoSuchBucket');
  return bucket;
}

/** `POST`: makes an upload, perhaps with its first bytes. */
export async function createUpload(call: TusCall): Promise<HttpReply> {
  const { deps, request } = call;
  const { size, metadata } = readCreation(request);
  const key = { bucket: metadata.bucketName ?? '', name: metadata.objectName ?? '' };
  requireBucketId(key.bucket);
  requireObjectName(key.name);
  const bucket = await requireBucket(deps, key.bucket);
  const maxBytes = resumableLimit(deps, bucket);
  if (size !== null && size > maxBytes) throw refuse.maxSizeExceeded();
  const grant = await requireGrant(call, key, { metadata, size });
  const isEmptyPlaceholder = size === 0 && isFolderPlaceholder(key.name);
  if (!isEmptyPlaceholder) {
    requireAllowedMimeType(metadata.contentType ?? defaultType, bucket.allowed_mime_types);
  }
  const id: UploadId = { ...key, version: deps.random.uuid() };
  const created = await insertUpload(deps.serviceDb, {
    ...id,
    ...{ size, owner: grant.owner, isUpsert: grant.isUpsert },
    metadata: { ...metadata, cacheControl: cacheControlOf(metadata) },
    expiresAtMs: deps.clock.now() + deps.config.resumableExpiryMs,
  });
  return receiveFirst(call, created, maxBytes);
}

async function receiveFirst(call: TusCall, created: UploadRecord, maxBytes: number): Promise<HttpReply> {
  const { deps, request } = call;
  const hasPiece = request.headers['content-type'] === pieceType;
  let upload = created;
  if (hasPiece || created.size === 0) {
    const body = hasPiece ? request.body : Readable.from([]);
    const limit = pieceLimit(created, maxBytes, request.headers['content-length']);
    upload = (await receivePiece(deps, created, body, limit, makersTurn)).upload;
  }
  const complete = isComplete(upload);
  if (complete) await finishUpload(deps, upload, serviceScope(call));
  return tusReply(201, {
    location: locationOf(call, upload),
    ...(hasPiece ? { 'upload-offset': upload.received } : {}),
    ...(complete ? { 'tus-complete': '1' } : { 'upload-expires': expiryOf(upload) }),
  });
}

/** When an unfinished upload is given up, as an HTTP date. */
export const expiryOf = (upload: UploadRecord): string => new Date(upload.expiresAtMs).toUTCString();

function readCreation({ headers }: HttpRequest): { size: number | null; metadata: UploadMetadata } {
  if (headers['upload-concat'] !== undefined) throw refuse.concatenation();
  const length = headers['upload-length'];
  if ((length === undefined) === (headers['upload-defer-length'] === undefined)) throw refuse.noLength();
  const text = headers['upload-metadata'];
  const metadata = typeof text === 'string' ? parseMetadata(text) : null;
  if (metadata === null) throw refuse.noMetadata();
  return { size: length === undefined ? null : Number(length), metadata };
}

const cacheControlOf = ({ cacheControl }: UploadMetadata): string =>
  /^-?\d+$/.test(cacheControl ?? '') ? `max-age=${cacheControl}` : 'no-cache';

const isLoopback = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/**
 * The URL of an upload, under the name that the client used: a public URL that only this machine can reach is no
 * answer to a client that came by another one.
 */
function locationOf({ deps, request }: TusCall, upload: UploadId): string {
  const configured = new URL(deps.publicUrl);
  const host = request.headers.host;
  const isOwnName = host === undefined || !isLoopback(configured.hostname);
  const origin = isOwnName ? configured.origin : `${request.protocol}://${host}`;
  return `${origin}${request.fullPath.replace(/\/+$/, '')}/${encodeUploadId(upload)}`;
}
