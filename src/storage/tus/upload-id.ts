import { isSafeId } from '../backends/object-store.ts';
import { requireBucketId, requireObjectName } from '../names.ts';
import { refuse } from './wire.ts';

/** What an upload's URL names. */
export type UploadId = { readonly bucket: string; readonly name: string; readonly version: string };

/** The last segment of an upload's URL. */
export const encodeUploadId = ({ bucket, name, version }: UploadId): string =>
  Buffer.from(`${bucket}/${name}/${version}`).toString('base64url');

/** Reads an upload's URL; throws for one that names nothing an upload can be. */
export function decodeUploadId(segment: string): UploadId {
  const parts = Buffer.from(segment, 'base64url').toString('utf8').split('/');
  const [bucket, version] = [parts[0], parts.at(-1)];
  if (parts.length < 3 || bucket === undefined || version === undefined || !isSafeId(version)) {
    throw refuse.notFound();
  }
  const name = parts.slice(1, -1).join('/');
  requireBucketId(bucket);
  requireObjectName(name);
  return { bucket, name, version };
}
