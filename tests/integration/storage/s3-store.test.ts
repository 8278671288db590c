import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client } from 'minio';
import S3rver from 's3rver';
import { afterAll, expect, it } from 'vitest';
import { silent as ignore } from '../../../src/core/observe.ts';
import { openS3Store } from '../../../src/storage/backends/s3.ts';
import { describeObjectStore } from './object-store.suite.ts';

const {
  S3_TEST_ENDPOINT: given,
  S3_TEST_BUCKET: bucket = 'files',
  S3_TEST_ACCESS_KEY: accessKey = 'S3RVER',
  S3_TEST_SECRET_KEY: secretKey = 'S3RVER',
} = process.env;

/** A stand-in for an S3 server; S3_TEST_ENDPOINT names a real one, with the bucket and keys of the environment. */
async function startServer(): Promise<string> {
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: await mkdtemp(join(tmpdir(), 'ownbase-s3-')),
    configureBuckets: [{ name: bucket, configs: [] }],
  });
  const { port } = await server.run();
  afterAll(() => server.close());
  return `http://127.0.0.1:${port}`;
}

/** Makes the bucket on a real server, unless it is there. */
async function makeBucket(endpoint: string): Promise<void> {
  const { hostname, port, protocol } = new URL(endpoint);
  const client = new Client({
    endPoint: hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    useSSL: protocol === 'https:',
    accessKey,
    secretKey,
  });
  if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket);
}

if (given !== undefined) await makeBucket(given);
const endpoint = given ?? (await startServer());

describeObjectStore(
  'S3',
  () =>
    openS3Store({
      endpoint,
      bucket,
      prefix: 'suite/',
      region: 'us-east-1',
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      isPathStyle: true,
      patienceMs: 10_000,
      observer: ignore,
    }),
  // The stand-in takes no uploads in parts.
  { large: given === undefined ? 300_000 : 9 * 1024 * 1024 },
);

it('gives up on a server that does not answer', async () => {
  const silent = createServer(() => {});
  const port = await new Promise<number>((resolve) => {
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as AddressInfo).port));
  });
  afterAll(() => {
    silent.close();
    silent.closeAllConnections();
  });
  const store = await openS3Store({
    endpoint: `http://127.0.0.1:${port}`,
    ...{ bucket, prefix: '', region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b' },
    isPathStyle: true,
    patienceMs: 100,
    observer: ignore,
  });
  await expect(store.head('x')).rejects.toThrow('does not answer');
  const body = Readable.from([Buffer.from('x')]);
  await expect(store.put('x', body, { maxBytes: 9 })).rejects.toThrow('does not answer');
});
