import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { isSafeId, type PartStore } from './object-store.ts';
import { concatenate, type S3Bucket } from './s3-bucket.ts';

const unlimited = { maxBytes: Number.POSITIVE_INFINITY };

/**
 * Parts as objects `<prefix><upload>/<number>`, each with its MD5 beside it. Completing reads them through: the server's
 * own way to put objects together asks for parts of at least 5 MiB, which nobody promises here.
 */
export function createS3Parts(bucket: S3Bucket, prefix: string, blobs: string): PartStore {
  const keyOf = (upload: string, part: number): string => {
    if (!isSafeId(upload)) throw new RangeError('an upload id must be letters, digits, - and _');
    return `${prefix}${upload}/${part}`;
  };
  return {
    async put(upload, part, body, options) {
      const key = keyOf(upload, part);
      const stored = await bucket.put(key, body, options);
      await bucket.put(`${key}.md5`, Readable.from([Buffer.from(stored.md5)]), unlimited);
      return stored;
    },
    async size(upload, part) {
      return (await bucket.stat(keyOf(upload, part)))?.size ?? null;
    },
    async complete(upload, parts, version) {
      const digests = createHash('md5');
      for (const part of parts) {
        digests.update(Buffer.from(await text(await bucket.read(`${keyOf(upload, part)}.md5`)), 'hex'));
      }
      const keys = parts.map((part) => keyOf(upload, part));
      const stored = await bucket.put(blobs + version, concatenate(bucket, keys), unlimited);
      return { ...stored, md5: `${digests.digest('hex')}-${parts.length}` };
    },
    async discard(upload) {
      const keys: string[] = [];
      for await (const { key } of bucket.list(keyOf(upload, 0).slice(0, -1))) keys.push(key);
      await bucket.remove(keys);
    },
    list: () => listUploads(bucket, prefix),
  };
}

/** The ids between a prefix and a slash, each with the time of its newest object. */
export async function* listUploads(
  bucket: S3Bucket,
  prefix: string,
): AsyncIterable<{ readonly upload: string; readonly modifiedAt: Date }> {
  let current: { upload: string; modifiedAt: Date } | null = null;
  for await (const { key, modifiedAt } of bucket.list(prefix)) {
    const upload = key.slice(prefix.length).split('/')[0] ?? '';
    if (current !== null && current.upload !== upload) yield current;
    const isNewer: boolean = current === null || current.upload !== upload || current.modifiedAt < modifiedAt;
    if (isNewer) current = { upload, modifiedAt };
  }
  if (current !== null) yield current;
}
