import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openS3Store } from '../../../src/storage/backends/s3.ts';
import { startS3Double } from '../../support/s3-double.ts';
import { callStorage, startStorage } from '../../support/storage.ts';
import { runStorage } from '../../support/storage-service.ts';
import { tusOf } from '../../support/tus.ts';

/*
 * The files of an instance move from disk to an S3 server, byte for byte by their versions: what clients see of an object
 * is the same before and after.
 */

const instance = await startStorage();
const { call, serviceKey: token, deps } = instance;
const double = await startS3Double();
const store = await openS3Store(double.options);
const moved = await runStorage({
  root: instance.root,
  env: {},
  databaseUrl: (login) => instance.database.url(login),
  store,
  wrap: (input) => input,
});
afterAll(async () => {
  await moved.close();
  await double.close();
});

const image = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
  .png()
  .toBuffer();
const objects: Readonly<Record<string, { body: Buffer; headers: Record<string, string> }>> = {
  'text.txt': {
    body: Buffer.from('hello'),
    headers: { 'content-type': 'text/plain;charset=UTF-8', 'cache-control': 'max-age=77' },
  },
  'page.html': { body: Buffer.from('<p>'), headers: { 'content-type': 'text/html' } },
  'large.bin': { body: randomBytes(300_000), headers: { 'x-robots-tag': 'noindex' } },
  empty: { body: Buffer.alloc(0), headers: { 'content-type': 'application/x-empty' } },
  'image.png': { body: image, headers: { 'content-type': 'image/png' } },
};
const names = [...Object.keys(objects), 'resumed'];

beforeAll(async () => {
  await call('POST', '/bucket', { token, body: { name: 'b', public: true } });
  for (const [name, { body, headers }] of Object.entries(objects)) {
    const metadata = { 'x-metadata': Buffer.from('{"k":"v"}').toString('base64') };
    const put = await call('POST', `/object/b/${name}`, {
      token,
      body,
      headers: { ...headers, ...metadata },
    });
    expect(put.status).toBe(200);
  }
  const { create, patch, pathOf } = tusOf(instance.url, token);
  const path = pathOf(await create({ bucketName: 'b', objectName: 'resumed' }, 8));
  await patch(path, 0, 'half');
  await patch(path, 4, 'done');
  for await (const { version } of deps.store.list()) {
    const content = await deps.store.get(version);
    if (content === null) throw new Error(`${version} is gone`);
    const body = Buffer.isBuffer(content.body) ? Readable.from([content.body]) : content.body;
    await store.put(version, body, { maxBytes: content.size });
  }
});

const signed = async (name: string): Promise<string> => {
  const answer = await call('POST', `/object/sign/b/${name}`, { token, body: { expiresIn: 600 } });
  return (answer.json() as { signedURL: string }).signedURL;
};
/** The host is signed too. */
async function presigned(port: number, command: GetObjectCommand | HeadObjectCommand): Promise<string> {
  const base = `http://127.0.0.1:${port}/storage/v1`;
  const client = new S3Client({
    endpoint: `${base}/s3`,
    forcePathStyle: true,
    region: deps.keys.s3.region,
    credentials: deps.keys.s3,
  });
  return (await getSignedUrl(client, command as GetObjectCommand)).replace(base, '');
}

/** Headers of the moment and of the connection. */
const passing = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'sb-request-id']);

/** What a client sees of an answer. */
async function seen(port: number, method: string, path: string, headers: Record<string, string>) {
  const answer = await callStorage(`http://127.0.0.1:${port}/storage/v1${path}`, method, { token, headers });
  return {
    status: answer.status,
    headers: Object.fromEntries([...answer.headers].filter(([name]) => !passing.has(name))),
    body: answer.bytes.toString('latin1'),
  };
}

describe.each(names)('%s', (name) => {
  let signedPath: string;
  beforeAll(async () => {
    signedPath = await signed(name);
  });

  it.each([
    ['read', 'GET', (_port: number) => `/object/public/b/${name}`, {}, 200],
    ['read with a token', 'GET', (_port: number) => `/object/authenticated/b/${name}`, {}, 200],
    ['read for a download', 'GET', (_port: number) => `/object/public/b/${name}?download=a.b`, {}, 200],
    ['read by a signed URL', 'GET', (_port: number) => signedPath, {}, 200],
    ['asked about', 'HEAD', (_port: number) => `/object/public/b/${name}`, {}, 200],
    ['described', 'GET', (_port: number) => `/object/info/b/${name}`, {}, 200],
    [
      'read over S3',
      'GET',
      (port: number) => presigned(port, new GetObjectCommand({ Bucket: 'b', Key: name })),
      {},
      200,
    ],
    [
      'asked about over S3',
      'HEAD',
      (port: number) => presigned(port, new HeadObjectCommand({ Bucket: 'b', Key: name })),
      {},
      200,
    ],
    [
      'read in part',
      'GET',
      (_port: number) => `/object/public/b/${name}`,
      { range: 'bytes=1-2' },
      name === 'empty' ? 416 : 206,
    ],
    ['read again', 'GET', (_port: number) => `/object/public/b/${name}`, { 'if-none-match': '*' }, 304],
  ] as const)('is the same when it is %s', async (_case, method, pathOf, headers, status) => {
    const before = await seen(instance.port, method, await pathOf(instance.port), headers);
    expect(before.status).toBe(status);
    expect(await seen(moved.port, method, await pathOf(moved.port), headers)).toEqual(before);
  });
});

it('an image is the same when it is rendered', async () => {
  const path = '/render/image/public/b/image.png?width=3';
  const before = await seen(instance.port, 'GET', path, {});
  expect(before.status).toBe(200);
  expect(await seen(moved.port, 'GET', path, {})).toEqual(before);
});
