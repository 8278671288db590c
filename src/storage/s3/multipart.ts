import { Readable } from 'node:stream';
import { z } from 'zod';
import { type ByteRange, isSafeId } from '../backends/object-store.ts';
import { scopeOf, serviceScopeOf } from '../call.ts';
import { StorageError } from '../errors.ts';
import { requireAllowedMimeType } from '../mime-types.ts';
import { requireObjectName } from '../names.ts';
import { digestOfPieces } from '../objects/piece-digest.ts';
import { bodyFailure, metadataOfBlob, publishBlob, standardLimit } from '../objects/upload.ts';
import { serviceRole } from '../principal.ts';
import { findBucket } from '../store/buckets.ts';
import {
  allParts,
  deleteMultipart,
  findMultipart,
  insertMultipart,
  type MultipartUpload,
  recordPart,
  type StoredPart,
} from '../store/multipart.ts';
import { hasVersion, probeWrite } from '../store/objects.ts';
import { enqueueSuspects } from '../store/outbox.ts';
import { type BucketRow, type Json, metadataOf } from '../store/rows.ts';
import { integer, read } from '../wire/schema.ts';
import { readDocument } from './body.ts';
import { requireSource } from './copy.ts';
import { type Operation, parameter, type S3Call, xmlReply } from './operation.ts';
import { userMetadataOf } from './user-metadata.ts';
import { readXml } from './xml.ts';

const defaultType = 'application/octet-stream';
const maxPartNumber = 10_000;

async function requireBucketRow({ deps, call }: S3Call): Promise<BucketRow> {
  const bucket = await findBucket(deps.serviceDb, call.params.bucket);
  if (bucket === null) throw new StorageError('NoSuchBucket');
  return bucket;
}

/** Each step of an upload asks for the rights of an upsert again. */
async function requireRights(
  { deps, call }: S3Call,
  metadata: Json,
  userMetadata: Json | null,
): Promise<void> {
  const { owner, role } = call.principal;
  if (role === serviceRole) return;
  await probeWrite(deps.requestDb, scopeOf(call), { ...call.params, owner, metadata, userMetadata }, true);
}

/** The upload that the query names, which must be this object's; throws `NoSuchUpload`. */
async function requireUpload(s3: S3Call): Promise<MultipartUpload> {
  const id = parameter(s3, 'uploadId') ?? '';
  const upload = isSafeId(id) ? await findMultipart(s3.deps.serviceDb, s3.call.params, id) : null;
  if (upload === null) throw new StorageError('NoSuchUpload');
  await requireRights(s3, upload.metadata ?? {}, upload.user_metadata);
  return upload;
}

/** CreateMultipartUpload. */
export const start: Operation = async (s3) => {
  const { deps, call } = s3;
  const { headers } = call.request;
  const bucket = await requireBucketRow(s3);
  requireObjectName(call.params.name);
  const contentType = headers['content-type'] || defaultType;
  requireAllowedMimeType(contentType, bucket.allowed_mime_types);
  const metadata = { mimetype: contentType, cacheControl: headers['cache-control'] || 'no-cache' };
  const userMetadata = userMetadataOf(headers);
  await requireRights(s3, { mimetype: contentType }, userMetadata);
  const id = deps.random.uuid();
  await insertMultipart(deps.serviceDb, call.params, {
    id,
    version: deps.random.uuid(),
    metadata,
    user_metadata: userMetadata,
    owner: call.principal.owner,
  });
  return xmlReply('InitiateMultipartUploadResult', {
    Bucket: call.params.bucket,
    Key: call.params.name,
    UploadId: id,
  });
};

const partQuery = z.object({ partNumber: integer(1, maxPartNumber) });

const partNumber = ({ query }: S3Call): number => read('Querystring', partQuery, query).partNumber;

/** Throws `EntityTooLarge` when the parts so far and this one pass the bucket's limit. */
async function requireRoom(
  s3: S3Call,
  upload: MultipartUpload,
  number: number,
  bytes: number,
): Promise<void> {
  const limit = standardLimit(s3.deps, await requireBucketRow(s3));
  const others = (await allParts(s3.deps.serviceDb, upload.id)).filter((part) => part.number !== number);
  if (sizeOf(others) + bytes > limit) throw new StorageError('EntityTooLarge');
}

const sizeOf = (parts: readonly StoredPart[]): number => parts.reduce((sum, part) => sum + part.size, 0);

/** UploadPart. */
export const putPart: Operation = async (s3) => {
  const { deps, call, body } = s3;
  const number = partNumber(s3);
  if (body.length === undefined) {
    throw new StorageError('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const upload = await requireUpload(s3);
  await requireRoom(s3, upload, number, body.length);
  const [id, maxBytes] = [deps.random.uuid(), body.length];
  const stored = await deps.store.parts
    .put(upload.id, id, body.body, { maxBytes })
    .catch((thrown: unknown) => {
      throw bodyFailure(thrown, body);
    });
  const etag = `"${stored.md5}"`;
  const part = { id, number, etag, size: stored.size, owner: call.principal.owner };
  await recordPart(deps.serviceDb, call.params, upload, part);
  return { status: 200, headers: { etag }, body: '' };
};

/** The range of a copied part: both ends, inside the source; throws `InvalidCopyRange`. */
function copyRange(header: string, size: number): ByteRange {
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || start > end || end >= size) throw new StorageError('InvalidCopyRange');
  return { start, end };
}

/** UploadPartCopy: a part from another object, or a range of it. */
export const copyPart: Operation = async (s3) => {
  const { deps, call } = s3;
  const number = partNumber(s3);
  const source = await requireSource(s3);
  const size = metadataOf(source.metadata).size ?? 0;
  const header = call.request.headers['x-amz-copy-source-range'];
  const range = typeof header === 'string' ? copyRange(header, size) : undefined;
  const bytes = range === undefined ? size : range.end - range.start + 1;
  const upload = await requireUpload(s3);
  await requireRoom(s3, upload, number, bytes);
  const content = await deps.store.get(source.version ?? '', range);
  if (content === null) throw new StorageError('BlobMissing');
  const body = Buffer.isBuffer(content.body) ? Readable.from([content.body]) : content.body;
  const id = deps.random.uuid();
  const stored = await deps.store.parts.put(upload.id, id, body, { maxBytes: bytes });
  const etag = `"${stored.md5}"`;
  await recordPart(deps.serviceDb, call.params, upload, {
    ...{ id, number, etag, size: stored.size },
    owner: call.principal.owner,
  });
  return xmlReply('CopyPartResult', { ETag: etag, LastModified: stored.modifiedAt.toISOString() });
};

const completion = z.object({
  CompleteMultipartUpload: z
    .union([
      z.literal(''),
      z.object({
        Part: z.array(z.object({ PartNumber: z.coerce.number(), ETag: z.string().optional() })).optional(),
      }),
    ])
    .transform((value) => (value === '' ? [] : (value.Part ?? []))),
});

const unquoted = (tag: string): string => tag.replace(/^"|"$/g, '');

/** The parts that the client names, in order, as they are stored; an empty list means all of them. */
function chooseParts(text: string, stored: readonly StoredPart[]): readonly StoredPart[] {
  if (text.trim() === '') return stored;
  const parsed = completion.safeParse(readXml(text));
  if (!parsed.success) throw new StorageError('MalformedXML', 'Invalid CompleteMultipartUpload document');
  const named = parsed.data.CompleteMultipartUpload;
  if (named.length === 0) return stored;
  let previous = 0;
  return named.map(({ PartNumber: number, ETag: etag }) => {
    if (number <= previous) {
      throw new StorageError('InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
    previous = number;
    const part = stored.find((candidate) => candidate.number === number);
    if (part === undefined || (etag !== undefined && unquoted(etag) !== unquoted(part.etag))) {
      throw new StorageError('InvalidPart', 'One or more of the specified parts could not be found.');
    }
    return part;
  });
}

/**
 * CompleteMultipartUpload. It may be repeated until it succeeds: the parts stay that long. A client that lost patience
 * and asks again waits for the first try and gets its answer.
 */
export const complete: Operation = async (s3) => {
  const { deps, call, body } = s3;
  const { bucket, name } = call.params;
  const text = await readDocument(body);
  const upload = await requireUpload(s3);
  const row = await alone(s3, upload, async () => {
    const known = await hasVersion(deps.serviceDb, call.params, upload.version);
    const completed = known ?? (await assemble(s3, upload, await partsOf(s3, upload, text)));
    await deleteMultipart(deps.serviceDb, upload.id);
    await deps.store.parts.discard(upload.id);
    return completed;
  });
  return xmlReply('CompleteMultipartUploadResult', {
    Location: `${bucket}/${name}`,
    Bucket: bucket,
    Key: name,
    ETag: metadataOf(row.metadata).eTag,
  });
};

/** Runs work as the only one that ends the upload. */
async function alone<T>({ deps }: S3Call, upload: MultipartUpload, work: () => Promise<T>): Promise<T> {
  const release = await deps.locks.acquire(upload.id, () => {});
  try {
    return await work();
  } finally {
    await release();
  }
}

/** The parts that become the object, within the bucket's limit. */
async function partsOf(s3: S3Call, upload: MultipartUpload, text: string): Promise<readonly StoredPart[]> {
  const { deps, call } = s3;
  if ((await findMultipart(deps.serviceDb, call.params, upload.id)) === null) {
    throw new StorageError('NoSuchUpload');
  }
  const parts = chooseParts(text, await allParts(deps.serviceDb, upload.id));
  if (parts.length === 0) throw new StorageError('InvalidPart', 'You must specify at least one part');
  if (sizeOf(parts) > standardLimit(deps, await requireBucketRow(s3)))
    throw new StorageError('EntityTooLarge');
  return parts;
}

async function assemble({ deps, call }: S3Call, upload: MultipartUpload, parts: readonly StoredPart[]) {
  const ids = parts.map((part) => part.id);
  const size = await deps.store.parts.complete(upload.id, ids, upload.version);
  if (size !== sizeOf(parts))
    throw new RangeError('the store has lost bytes of parts that were acknowledged');
  const md5 = digestOfPieces(parts.map((part) => unquoted(part.etag)));
  const blob = { size, md5, modifiedAt: new Date(deps.clock.now()) };
  const stored = metadataOf(upload.metadata);
  const metadata = metadataOfBlob(blob, {
    contentType: stored.mimetype ?? defaultType,
    cacheControl: stored.cacheControl ?? 'no-cache',
    robotsTag: undefined,
  });
  return publishBlob(
    deps,
    { key: call.params, isUpsert: true, asService: serviceScopeOf(call), keepsBlob: true },
    {
      ...call.params,
      owner: call.principal.owner,
      version: upload.version,
      metadata,
      userMetadata: upload.user_metadata,
    },
  );
}

/** AbortMultipartUpload. */
export const abort: Operation = async (s3) => {
  const { deps, call } = s3;
  const upload = await requireUpload(s3);
  await alone(s3, upload, async () => {
    await deleteMultipart(deps.serviceDb, upload.id);
    await deps.store.parts.discard(upload.id);
    // A completion that failed has left its blob, and perhaps a row.
    await enqueueSuspects(deps.serviceDb, [{ ...call.params, version: upload.version }], 0);
  });
  return { status: 204, headers: {}, body: null };
};
