import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Client } from 'minio';
import { BlobTooLarge, type PutOptions, type StoredBlob } from './object-store.ts';

/**
 * Bytes that one upload holds in memory at a time: S3 takes streams of unknown length only in parts of 5 MiB or more.
 */
const partBytes = 8 * 1024 * 1024;

/** The objects of one bucket, as the parts of the store use them. */
export type S3Bucket = {
  readonly put: (key: string, body: Readable, options: PutOptions) => Promise<StoredBlob>;
  readonly read: (key: string) => Promise<Readable>;
  readonly stat: (key: string) => Promise<{ readonly size: number; readonly modifiedAt: Date } | null>;
  readonly remove: (keys: readonly string[]) => Promise<readonly string[]>;
  readonly list: (prefix: string) => AsyncIterable<{ key: string; size: number; modifiedAt: Date }>;
};

/** Whether the server says that there is no such object; a HEAD has only its status to say it with. */
export const isMissing = (thrown: unknown): boolean =>
  ['NoSuchKey', 'NotFound'].includes(String((thrown as { code?: unknown } | null)?.code));

/** Opens a bucket through the client. */
export function openBucket(client: Client, bucket: string): S3Bucket {
  return {
    put: (key, body, options) => putObject(client, bucket, key, body, options),
    read: (key) => client.getObject(bucket, key),
    async stat(key) {
      try {
        const { size, lastModified } = await client.statObject(bucket, key);
        return { size, modifiedAt: lastModified };
      } catch (thrown) {
        if (isMissing(thrown)) return null;
        throw thrown;
      }
    },
    async remove(keys) {
      const failed: string[] = [];
      for (const key of keys) {
        await client.removeObject(bucket, key).catch((thrown: unknown) => {
          if (!isMissing(thrown)) failed.push(key);
        });
      }
      return failed;
    },
    async *list(prefix) {
      for await (const item of client.listObjectsV2(bucket, prefix, true) as AsyncIterable<ListItem>) {
        if (item.name === undefined) continue;
        yield { key: item.name, size: item.size ?? 0, modifiedAt: item.lastModified ?? new Date(0) };
      }
    },
  };
}

type ListItem = { readonly name?: string; readonly size?: number; readonly lastModified?: Date };

/**
 * Stores a body, counting and hashing; one that fails or is too long leaves no object. What ends within one part goes in
 * a single request. Longer ones go in parts of our own: the client library would wait for ever for a body that broke off.
 */
async function putObject(
  client: Client,
  bucket: string,
  key: string,
  body: Readable,
  { maxBytes }: PutOptions,
): Promise<StoredBlob> {
  const meter: Meter = { hash: createHash('md5'), size: 0 };
  const source = metered(body, maxBytes, meter);
  const first = await takePart(source);
  if (first.isLast) await client.putObject(bucket, key, first.bytes);
  else await putInParts(client, { bucketName: bucket, objectName: key }, first, source);
  return { size: meter.size, md5: meter.hash.digest('hex'), modifiedAt: new Date() };
}

type Meter = { readonly hash: Hash; size: number };

async function* metered(body: Readable, maxBytes: number, meter: Meter): AsyncGenerator<Buffer> {
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    meter.size += chunk.length;
    if (meter.size > maxBytes) throw new BlobTooLarge(maxBytes);
    meter.hash.update(chunk);
    yield chunk;
  }
}

type Part = { readonly bytes: Buffer; readonly isLast: boolean };

/** The next part's worth of bytes; the last one may be short, or empty. */
async function takePart(source: AsyncGenerator<Buffer>): Promise<Part> {
  const chunks: Buffer[] = [];
  for (let size = 0; size < partBytes; ) {
    const next = await source.next();
    if (next.done) return { bytes: Buffer.concat(chunks), isLast: true };
    chunks.push(next.value);
    size += next.value.length;
  }
  return { bytes: Buffer.concat(chunks), isLast: false };
}

async function putInParts(
  client: Client,
  place: { readonly bucketName: string; readonly objectName: string },
  first: Part,
  source: AsyncGenerator<Buffer>,
): Promise<void> {
  const { bucketName, objectName } = place;
  const uploadID = await client.initiateNewMultipartUpload(bucketName, objectName, {});
  const etags: { part: number; etag: string }[] = [];
  const send = async ({ bytes }: Part): Promise<void> => {
    const partNumber = etags.length + 1;
    const sent = await client.uploadPart({ ...place, uploadID, partNumber, headers: {} }, bytes);
    etags.push({ part: partNumber, etag: sent.etag });
  };
  try {
    let part = first;
    await send(part);
    while (!part.isLast) {
      part = await takePart(source);
      if (part.bytes.length > 0) await send(part);
    }
    await client.completeMultipartUpload(bucketName, objectName, uploadID, etags);
  } catch (thrown) {
    // What cannot be taken back now is found by a check of the storage.
    await client.abortMultipartUpload(bucketName, objectName, uploadID).catch(() => {});
    throw thrown;
  }
}

/** The objects of the keys, one behind the other, each opened when the one before has ended. */
export const concatenate = (bucket: S3Bucket, keys: readonly string[]): Readable =>
  Readable.from(
    (async function* () {
      for (const key of keys) yield* (await bucket.read(key)) as AsyncIterable<Buffer>;
    })(),
    { objectMode: false },
  );
