import { isSafeId } from '../backends/object-store.ts';
import { requireBucketId, requireObjectName } from '../names.ts';
import { refuse } from './wire.ts';

/** What an upload's URL names. */
export type UploadId = { readonly bucket: string; readonly name: string; readonly version: string };

/** The last segment of an upload's URL. */
export const encodeUploadId = ({ bucket, name, version }: UploadId): string =>
  Buffer.from(`${bucket}/${name}/${version}`).toString('base64url');

/**
 * Reads an upload's URL; throws for one that names nothing an upload can be.
 * Upstream: src/storage/protocols/tus/upload-id.ts.
 */
export function decodeUploadId(segment: string): UploadId {
  const [bucket = '', ...rest] = Buffer.from(segment, 'base64url').toString('utf8').split('/');
  const version = rest.pop();
  if (version === undefined) throw refuse.invalidId('Invalid upload id');
  if (version === '') throw refuse.invalidId('Version not provided');
  const name = rest.join('/');
  requireBucketId(bucket);
  requireObjectName(name);
  if (!isSafeId(version)) throw refuse.notFound();
  return { bucket, name, version };
}
