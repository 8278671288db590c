import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import S3rver from 's3rver';
import { afterAll, expect, it } from 'vitest';
import { openS3Store } from '../../../src/storage/backends/s3.ts';
import { describeObjectStore } from './object-store.suite.ts';

const bucket = 'files';

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

const { S3_TEST_ENDPOINT: given, S3_TEST_ACCESS_KEY = 'S3RVER', S3_TEST_SECRET_KEY = 'S3RVER' } = process.env;
const endpoint = given ?? (await startServer());

describeObjectStore(
  'S3',
  () =>
    openS3Store({
      endpoint,
      bucket: process.env.S3_TEST_BUCKET ?? bucket,
      prefix: 'suite/',
      region: 'us-east-1',
      accessKeyId: S3_TEST_ACCESS_KEY,
      secretAccessKey: S3_TEST_SECRET_KEY,
      isPathStyle: true,
      patienceMs: 10_000,
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
  });
  await expect(store.head('x')).rejects.toThrow('does not answer');
  const body = Readable.from([Buffer.from('x')]);
  await expect(store.put('x', body, { maxBytes: 9 })).rejects.toThrow('does not answer');
});
