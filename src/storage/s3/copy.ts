import type { IncomingHttpHeaders } from 'node:http';
import { scopeOf } from '../call.ts';
import { StorageError } from '../errors.ts';
import { copyObject } from '../objects/copy.ts';
import { findObject, type ObjectKey } from '../store/objects.ts';
import { metadataOf, type ObjectRow } from '../store/rows.ts';
import { type Operation, type S3Call, xmlReply } from './operation.ts';
import { userMetadataOf } from './user-metadata.ts';

/** The object that `x-amz-copy-source` names: `[/]bucket/key`, percent-encoded. */
function copySource(headers: IncomingHttpHeaders): ObjectKey {
  const raw = String(headers['x-amz-copy-source'] ?? '').split('?')[0] ?? '';
  let path: string;
  try {
    path = decodeURIComponent(raw).replace(/^\//, '');
  } catch {
    // The only failure is a malformed escape.
    throw new StorageError('InvalidParameter', 'CopySource');
  }
  const at = path.indexOf('/');
  if (at < 1 || at === path.length - 1) throw new StorageError('MissingParameter', 'CopySource');
  return { bucket: path.slice(0, at), name: path.slice(at + 1) };
}

/** The source as the request sees it, if the conditions on it hold; throws `NoSuchKey` or `PreconditionFailed`. */
export async function requireSource({ deps, call }: S3Call): Promise<ObjectRow> {
  const { headers } = call.request;
  const row = await findObject(deps.requestDb, scopeOf(call), copySource(headers));
  if (row === null) throw new StorageError('NoSuchKey');
  const { eTag, lastModified } = metadataOf(row.metadata);
  const time = Math.floor(Date.parse(lastModified ?? '') / 1000);
  const seconds = (name: string): number => Math.floor(Date.parse(String(headers[name])) / 1000);
  const match = headers['x-amz-copy-source-if-match'];
  const noneMatch = headers['x-amz-copy-source-if-none-match'];
  const fails =
    (match !== undefined && match !== '*' && match !== eTag) ||
    (noneMatch !== undefined && (noneMatch === '*' || noneMatch === eTag)) ||
    (headers['x-amz-copy-source-if-modified-since'] !== undefined &&
      time <= seconds('x-amz-copy-source-if-modified-since')) ||
    (headers['x-amz-copy-source-if-unmodified-since'] !== undefined &&
      time > seconds('x-amz-copy-source-if-unmodified-since'));
  if (fails) {
    throw new StorageError(
      'PreconditionFailed',
      'At least one of the preconditions you specified did not hold',
    );
  }
  return row;
}

/** CopyObject: always replaces. */
export const copy: Operation = async (s3) => {
  const { deps, call } = s3;
  const { headers } = call.request;
  const replaces = headers['x-amz-metadata-directive'] === 'REPLACE';
  const source = await requireSource(s3);
  const row = await copyObject(deps, call, {
    from: { bucket: source.bucket_id, name: source.name },
    to: call.params,
    isUpsert: true,
    replacement: replaces
      ? {
          metadata: {
            cacheControl: headers['cache-control'] || 'no-cache',
            mimetype: headers['content-type'] || 'application/octet-stream',
          },
          userMetadata: userMetadataOf(headers) ?? {},
        }
      : null,
  });
  const { eTag, lastModified } = metadataOf(row.metadata);
  return xmlReply('CopyObjectResult', { ETag: eTag, LastModified: lastModified });
};
