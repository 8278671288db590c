import type { HttpReply, ReplyHeaders } from '../../http/exchange.ts';
import { scopeOf, serviceScopeOf } from '../call.ts';
import { StorageError } from '../errors.ts';
import { requireNameCharacters } from '../names.ts';
import { aftermathOf } from '../objects/aftermath.ts';
import { serveObject } from '../objects/download.ts';
import { httpDate, requireSendable, safetyHeaders } from '../objects/reply-headers.ts';
import { uploadFile } from '../objects/upload.ts';
import { findBucket } from '../store/buckets.ts';
import { deleteObjects, findObject, locate } from '../store/objects.ts';
import { metadataOf, type ObjectRow } from '../store/rows.ts';
import { type Operation, parameter, type S3Call, xmlReply } from './operation.ts';
import { metadataHeaders, userMetadataOf } from './user-metadata.ts';

const defaultType = 'application/octet-stream';
const placeholder = '.emptyFolderPlaceholder';

/** PutObject: always replaces. An empty object whose name is a folder's keeps that folder visible. */
export const put: Operation = async ({ deps, call, body }) => {
  const { headers } = call.request;
  const { bucket, name } = call.params;
  const isFolder = name.endsWith('/') && (body.length ?? 0) === 0;
  const row = await uploadFile(
    deps,
    {
      key: { bucket, name: isFolder ? `${name}${placeholder}` : name },
      owner: call.principal.owner,
      isUpsert: true,
      asRequest: scopeOf(call),
      asService: serviceScopeOf(call),
    },
    {
      body: body.body,
      contentType: headers['content-type'] || defaultType,
      cacheControl: headers['cache-control'] || 'no-cache',
      userMetadata: userMetadataOf(headers),
      declaredBytes: body.length,
      knownBytes: body.length,
      robotsTag: undefined,
    },
  );
  return { status: 200, headers: { etag: metadataOf(row.metadata).eTag }, body: '' };
};

/** The object that the request may see; throws `NoSuchKey`. */
async function requireVisible({ deps, call }: S3Call): Promise<ObjectRow> {
  requireNameCharacters(call.params.name);
  const row = await findObject(deps.requestDb, scopeOf(call), call.params);
  if (row === null) throw new StorageError('NoSuchKey');
  return row;
}

const overrides: Readonly<Record<string, string>> = {
  'response-content-disposition': 'content-disposition',
  'response-content-type': 'content-type',
  'response-cache-control': 'cache-control',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-expires': 'expires',
};

/** Headers that a signed request may choose; values that no header can hold are ignored, an odd date is refused. */
function overridden(call: S3Call): ReplyHeaders {
  const headers: Record<string, string> = {};
  for (const [name, header] of Object.entries(overrides)) {
    const value = parameter(call, name);
    if (header === 'expires' && value !== undefined && Number.isNaN(Date.parse(value))) {
      throw new StorageError('InvalidParameter', name);
    }
    if (value !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) headers[header] = value;
  }
  return headers;
}

/** GetObject, whole or a range, conditional. */
export const get: Operation = async (s3) => {
  const { deps, call } = s3;
  const row = await requireVisible(s3);
  const reply = await serveObject(deps, call.request, row, { download: undefined });
  const stored = metadataOf(row.metadata);
  const headers: ReplyHeaders = {
    ...reply.headers,
    'content-type': reply.status === 304 ? undefined : stored.mimetype,
    'cache-control': stored.cacheControl,
    'accept-ranges': undefined,
    'x-robots-tag': undefined,
    ...metadataHeaders(row.user_metadata),
    ...overridden(s3),
  };
  // A browser that is given a signed URL shows the type as it was stored, or as the URL has it.
  return { ...reply, headers: { ...headers, ...safetyHeaders(String(headers['content-type'] ?? '')) } };
};

/** HeadObject: answered from the row. */
export const head: Operation = async (s3) => {
  const row = await requireVisible(s3);
  const metadata = metadataOf(row.metadata);
  const headers = requireSendable({
    'created-at': row.created_at ?? undefined,
    'cache-control': metadata.cacheControl,
    'content-length': metadata.size,
    'content-type': metadata.mimetype,
    etag: metadata.eTag,
    'last-modified': httpDate(row.updated_at ?? undefined),
    ...metadataHeaders(row.user_metadata),
  });
  return { status: 200, headers, body: null };
};

/** GetObjectTagging: there are no tags. */
export const tagging: Operation = async (s3) => {
  await requireVisible(s3);
  return xmlReply('Tagging', { TagSet: null });
};

const noContent: HttpReply = { status: 204, headers: {}, body: null };

/** DeleteObject: a missing one counts as deleted, one that policies keep does not. */
export const remove: Operation = async ({ deps, call }) => {
  const { bucket, name } = call.params;
  const gone = await deleteObjects(deps.requestDb, scopeOf(call), bucket, [name], aftermathOf(deps.config));
  if (gone.length > 0) return noContent;
  const located = await locate(deps.serviceDb, call.params);
  if (located === null) throw new StorageError('NoSuchBucket');
  if (located.object !== null) throw new StorageError('AccessDenied');
  return noContent;
};

/** Throws `NoSuchBucket`. */
export async function requireBucket({ deps, call }: S3Call): Promise<void> {
  if ((await findBucket(deps.serviceDb, call.params.bucket)) === null) throw new StorageError('NoSuchBucket');
}
