import http from 'node:http';
import https from 'node:https';
import type { Client } from 'minio';
import type { Observer } from '../../core/observe.ts';
import {
  type BlobContent,
  type BlobFacts,
  type ByteRange,
  isSafeId,
  type ObjectStore,
  requireSafeId,
  type UnfinishedStore,
} from './object-store.ts';
import { isMissing, openBucket, type S3Bucket } from './s3-bucket.ts';
import { createS3Growing } from './s3-growing.ts';
import { createS3Parts } from './s3-parts.ts';
import { withPatience } from './s3-patience.ts';
import { withRetries } from './s3-retries.ts';

/*
 *   <prefix>blobs/<version>
 *   <prefix>parts/<upload>/<part>            see s3-parts.ts
 *   <prefix>growing/<upload>/<offset>        see s3-growing.ts
 */

/** Where the blobs are. */
export type S3StoreOptions = {
  /** Origin of the S3 server. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Put before every key; ends with a slash, or is empty. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether the bucket stands in the path rather than in the host. */
  readonly isPathStyle: boolean;
  /** How long the server may do nothing before a request to it fails; 0 for any time. */
  readonly patienceMs: number;
  /** How long a request waits at least before it is sent again; 50 unless told otherwise. */
  readonly retryDelayMs?: number;
  /** Is told of requests that are sent again. */
  readonly observer: Observer;
};

const firstRetryDelayMs = 50;

/** Opens a store in a bucket of any S3 server; loads the client library. */
export async function openS3Store(options: S3StoreOptions): Promise<ObjectStore> {
  const { Client } = await import('minio');
  const url = new URL(options.endpoint);
  const client = new Client({
    endPoint: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    useSSL: url.protocol === 'https:',
    accessKey: options.accessKeyId,
    secretKey: options.secretAccessKey,
    region: options.region,
    pathStyle: options.isPathStyle,
    transport: withRetries(withPatience(url.protocol === 'https:' ? https : http, options.patienceMs), {
      observer: options.observer,
      firstDelayMs: options.retryDelayMs ?? firstRetryDelayMs,
    }),
    retryOptions: { disableRetry: true },
  });
  const bucket = openBucket(client, options.bucket);
  const blobs = `${options.prefix}blobs/`;
  return {
    kind: 's3',
    async put(version, body, put) {
      const key = blobs + requireSafeId(version);
      try {
        return await bucket.put(key, body, put);
      } catch (thrown) {
        // The server may have stored what it did not acknowledge.
        await bucket.remove([key]);
        throw thrown;
      }
    },
    get: (version, range) =>
      getBlob(client, bucket, options.bucket, { key: blobs + version, version, range }),
    head: (version) => headBlob(bucket, blobs, version),
    copy: (from, to) => copyBlob(client, options.bucket, blobs, from, to),
    async remove(versions) {
      const failed = await bucket.remove(versions.filter(isSafeId).map((version) => blobs + version));
      return failed.map((key) => key.slice(blobs.length));
    },
    list: () => listBlobs(bucket, blobs),
    parts: createS3Parts(bucket, `${options.prefix}parts/`, blobs),
    growing: createS3Growing(bucket, `${options.prefix}growing/`, blobs),
    unfinished: createUnfinished(client, options.bucket, options.prefix),
    close: () => Promise.resolve(),
  };
}

/** What the client library leaves out of its types. */
type IncompleteUpload = { readonly key: string; readonly initiated?: Date };

/** Uploads in parts that the S3 server holds: a crash or a lost connection cut them off. */
const createUnfinished = (client: Client, bucket: string, prefix: string): UnfinishedStore => ({
  async *list() {
    try {
      const uploads = client.listIncompleteUploads(bucket, prefix, true) as AsyncIterable<IncompleteUpload>;
      for await (const { key, initiated } of uploads) yield { id: key, modifiedAt: initiated ?? new Date(0) };
    } catch (thrown) {
      // A server without uploads in parts has none that are incomplete.
      if ((thrown as { code?: unknown } | null)?.code !== 'NotImplemented') throw thrown;
    }
  },
  discard: (key) => client.removeIncompleteUpload(bucket, key),
});

async function getBlob(
  client: Client,
  bucket: S3Bucket,
  name: string,
  wanted: { readonly key: string; readonly version: string; readonly range: ByteRange | undefined },
): Promise<BlobContent | null> {
  const { key, version, range } = wanted;
  const facts = isSafeId(version) ? await bucket.stat(key) : null;
  if (facts === null) return null;
  const { size } = facts;
  if (size === 0) return { body: Buffer.alloc(0), size };
  const [start, end] = range === undefined ? [0, size - 1] : [range.start, Math.min(range.end, size - 1)];
  const whole = start === 0 && end === size - 1;
  const body = whole
    ? await client.getObject(name, key)
    : await client.getPartialObject(name, key, start, end - start + 1);
  return { body, size };
}

async function headBlob(bucket: S3Bucket, blobs: string, version: string): Promise<BlobFacts | null> {
  const facts = isSafeId(version) ? await bucket.stat(blobs + version) : null;
  return facts === null ? null : { version, ...facts };
}

async function copyBlob(
  client: Client,
  bucket: string,
  blobs: string,
  from: string,
  to: string,
): Promise<boolean> {
  requireSafeId(to);
  if (!isSafeId(from)) return false;
  try {
    await client.copyObject(bucket, blobs + to, `/${bucket}/${blobs}${from}`);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

async function* listBlobs(bucket: S3Bucket, blobs: string): AsyncIterable<BlobFacts> {
  for await (const { key, size, modifiedAt } of bucket.list(blobs)) {
    yield { version: key.slice(blobs.length), size, modifiedAt };
  }
}
