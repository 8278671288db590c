import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type DetailedError, Upload, type UploadOptions } from 'tus-js-client';
import { afterAll, expect, it } from 'vitest';
import { openFsStore } from '../../src/storage/backends/fs.ts';
import { startStorage } from '../support/storage.ts';
import { runStorage } from '../support/storage-service.ts';

/* Resumable uploads as the client library makes them, which uppy uses too. */
const instance = await startStorage();
const { call, serviceKey: token } = instance;
await call('POST', '/bucket', { token, body: { name: 'files' } });
const other = await runStorage({
  root: instance.root,
  env: {},
  databaseUrl: (login) => instance.database.url(login),
  store: await openFsStore({ root: instance.folder, isDurable: false }),
  wrap: (input) => input,
});
afterAll(() => other.close());

const bytes = randomBytes(1_200_000);
const endpoint = `${instance.url}/storage/v1/upload/resumable`;
const optionsFor = (objectName: string): UploadOptions => ({
  endpoint,
  headers: { authorization: `Bearer ${token}` },
  metadata: { bucketName: 'files', objectName },
  chunkSize: 400_000,
  retryDelays: null,
});

type Source = Buffer | Readable;
/** Runs an upload to its end; rejects with what the library says. */
const finished = (source: Source, options: UploadOptions): Promise<Upload> =>
  new Promise((resolve, reject) => {
    const upload: Upload = new Upload(source, {
      ...options,
      onError: reject,
      onSuccess: () => resolve(upload),
    });
    upload.start();
  });
/** Stops an upload after its first piece; yields its URL. */
const broken = (options: UploadOptions, terminates: boolean): Promise<string> =>
  new Promise((resolve, reject) => {
    const upload: Upload = new Upload(bytes, {
      ...options,
      onError: reject,
      onChunkComplete: () => void upload.abort(terminates).then(() => resolve(upload.url ?? ''), reject),
    });
    upload.start();
  });
const read = async (name: string): Promise<Buffer> =>
  (await call('GET', `/object/files/${name}`, { token })).bytes;
const offsetOf = async (url: string) => {
  const answer = await fetch(url, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' },
  });
  return [answer.status, answer.headers.get('upload-offset')];
};

it('goes on at another service after the first has gone', async () => {
  const uploadUrl = await broken(optionsFor('moved'), false);
  const there = uploadUrl.replace(`:${instance.port}/`, `:${other.port}/`);
  expect(await offsetOf(there)).toEqual([200, '400000']);
  await finished(bytes, { ...optionsFor('moved'), uploadUrl: there });
  expect((await read('moved')).equals(bytes)).toBe(true);
});

it('says its length when it knows it', async () => {
  const source = Readable.from([bytes.subarray(0, 700_000), bytes.subarray(700_000)]);
  await finished(source, { ...optionsFor('deferred'), uploadLengthDeferred: true });
  expect((await read('deferred')).equals(bytes)).toBe(true);
});

it('is given up, and its URL with it', async () => {
  const uploadUrl = await broken(optionsFor('given-up'), true);
  expect(await offsetOf(uploadUrl)).toEqual([404, null]);
  expect(String(await read('given-up'))).toContain('NoSuchKey');
});

it('is told that it cannot come in parallel', async () => {
  const failure = await finished(bytes, { ...optionsFor('parallel'), parallelUploads: 2 }).then(
    () => null,
    (thrown: DetailedError) => thrown.originalResponse,
  );
  expect([failure?.getStatus(), failure?.getBody()]).toEqual([
    501,
    'Concatenation extension is not (yet) supported. Disable parallel uploads in the tus client.\n',
  ]);
});

it('needs no token with a signature, and no other one’s signature', async () => {
  const signatureFor = async (name: string): Promise<string> => {
    const made = await call('POST', `/object/upload/sign/files/${name}`, { token, body: {} });
    return (made.json() as { token: string }).token;
  };
  const signed = (name: string, signature: string): UploadOptions => ({
    ...optionsFor(name),
    endpoint: `${endpoint}/sign`,
    headers: { 'x-signature': signature },
  });
  const upload = await finished(bytes, signed('signed', await signatureFor('signed')));
  expect(upload.url).toContain('/upload/resumable/sign/');
  expect((await read('signed')).equals(bytes)).toBe(true);
  const wrong = signed(randomUUID(), await signatureFor('another'));
  await expect(finished(bytes, wrong)).rejects.toMatchObject({
    message: expect.stringContaining('response code: 400, response text: Invalid signature'),
  });
});
