import { type Dated, type PartStore, requireSafeId } from './object-store.ts';
import { concatenate, type S3Bucket } from './s3-bucket.ts';

const unlimited = { maxBytes: Number.POSITIVE_INFINITY };

/**
 * Parts as objects `<prefix><upload>/<part>`. Completing reads them through: the server's own way to put objects
 * together asks for parts of at least 5 MiB, which nobody promises here.
 */
export function createS3Parts(bucket: S3Bucket, prefix: string, blobs: string): PartStore {
  const folderOf = (upload: string): string => `${prefix}${requireSafeId(upload)}/`;
  return {
    put: (upload, part, body, options) => bucket.put(folderOf(upload) + requireSafeId(part), body, options),
    async complete(upload, parts, version) {
      const keys = parts.map((part) => folderOf(upload) + requireSafeId(part));
      return (await bucket.put(blobs + version, concatenate(bucket, keys), unlimited)).size;
    },
    async discard(upload) {
      const keys: string[] = [];
      for await (const { key } of bucket.list(folderOf(upload))) keys.push(key);
      requireRemoved(await bucket.remove(keys));
    },
    list: () => listUploads(bucket, prefix),
  };
}

/** Throws when objects could not be removed. */
export function requireRemoved(failed: readonly string[]): void {
  if (failed.length > 0) throw new Error(`${failed.length} objects of an upload could not be removed`);
}

/** The ids between a prefix and a slash, each with the time of its newest object. */
export async function* listUploads(bucket: S3Bucket, prefix: string): AsyncIterable<Dated> {
  let current: Dated | null = null;
  for await (const { key, modifiedAt } of bucket.list(prefix)) {
    const id = key.slice(prefix.length).split('/')[0] ?? '';
    if (current !== null && current.id !== id) yield current;
    const isNewer: boolean = current === null || current.id !== id || current.modifiedAt < modifiedAt;
    if (isNewer) current = { id, modifiedAt };
  }
  if (current !== null) yield current;
}
