import { isSafeId } from '../backends/object-store.ts';
import { requireBucketId, requireObjectName } from '../names.ts';
import { refuse } from './errors.ts';

/** What an upload's URL names. */
export type UploadId = { readonly bucket: string; readonly name: string; readonly version: string };

/** An upload's id within the protocol: `/<bucket>/<name>/<version>`. */
export const formatUploadId = ({ bucket, name, version }: UploadId): string =>
  `/${bucket}/${name}/${version}`;

/**
 * Reads an upload's id; throws for one that names nothing an upload can be.
 * Upstream: src/storage/protocols/tus/upload-id.ts.
 */
export function parseUploadId(id: string): UploadId {
  const [bucket = '', ...rest] = id.slice(1).split('/');
  const version = rest.pop();
  if (version === undefined) throw refuse.invalidId('Invalid upload id');
  if (version === '') throw refuse.invalidId('Version not provided');
  const name = rest.join('/');
  requireBucketId(bucket);
  requireObjectName(name);
  if (!isSafeId(version)) throw refuse.notFound();
  return { bucket, name, version };
}

/** The last segment of an upload's URL, of its id. */
export const encodeUploadId = (id: string): string => Buffer.from(id.slice(1)).toString('base64url');

/** The id of the upload whose URL ends with the segment, which may name none. */
export const decodeUploadId = (segment: string): string =>
  `/${Buffer.from(segment, 'base64url').toString('utf8')}`;
