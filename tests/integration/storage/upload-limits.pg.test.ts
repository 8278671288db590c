import { connect } from 'node:net';
import { CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { resumablePath, startGuarded, tightBytes, tus } from '../../support/storage-security.ts';
import { encodeMetadata } from '../../support/tus.ts';
import { until } from '../../support/until.ts';

/*
 * What uploads must not bring, over every door of the service: more bytes than a bucket takes, other types, or no bytes
 * at all for a while.
 */
const instance = await startGuarded();
const { call, port, token, s3, createResumable } = instance;

/** Bytes over the tightBytes, in chunks without a length. */
async function* tooMuch(): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < 20 * tightBytes; sent += 100) yield Buffer.alloc(100);
}

const stream = (url: string, method: string, headers: Record<string, string>): Promise<Response> =>
  fetch(url, { method, headers, body: tooMuch() as never, duplex: 'half' } as RequestInit);

describe('a body without a length that passes the limit on its way', () => {
  const expectNothing = async (name: string): Promise<void> => {
    expect((await call('GET', `/object/tight/${name}`, { token })).json()).toMatchObject({
      code: 'NoSuchKey',
    });
    await until(async () => (await instance.unfinished()).length === 0);
  };

  it('is refused on a signed upload', async () => {
    const made = await call('POST', '/object/upload/sign/tight/signed', { token, body: {} });
    const { url } = made.json() as { url: string };
    const answer = await stream(`${instance.url}/storage/v1${url}`, 'PUT', { 'content-type': 'image/png' });
    expect(await answer.json()).toMatchObject({ statusCode: '413' });
    await expectNothing('signed');
  });

  it('is refused by S3, with a signature for any body', async () => {
    const put = new PutObjectCommand({ Bucket: 'tight', Key: 's3', ContentType: 'image/png' });
    const answer = await stream(await getSignedUrl(s3, put), 'PUT', { 'content-type': 'image/png' });
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining('EntityTooLarge')]);
    await expectNothing('s3');
  });

  it('is refused by S3 as a part, whose length must be said', async () => {
    const place = { Bucket: 'tight', Key: 'part' };
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ ...place, ContentType: 'image/png' }),
    );
    const part = new UploadPartCommand({ ...place, UploadId, PartNumber: 1 });
    const answer = await stream(await getSignedUrl(s3, part), 'PUT', {});
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('MissingContentLength'),
    ]);
    await expectNothing('part');
  });

  it.each([
    ['that has a length', { 'upload-length': String(tightBytes) }],
    ['whose length is to come', { 'upload-defer-length': '1' }],
  ])('is refused as a piece of a resumable upload %s, and adds nothing', async (_case, length) => {
    const path = resumablePath(await createResumable('tight', 'tus', length));
    const answer = await stream(`${instance.url}/storage/v1${path}`, 'PATCH', {
      ...tus,
      authorization: `Bearer ${token}`,
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '0',
    });
    expect([answer.status, await answer.text()]).toEqual([413, 'Maximum size exceeded\n']);
    const head = await call('HEAD', path, { token, headers: tus });
    expect(head.headers.get('upload-offset')).toBe('0');
    await expectNothing('tus');
  });
});

describe('a bucket’s list of types', () => {
  it('counts for S3: whole, as a form, in parts, and without a type', async () => {
    const place = { Bucket: 'tight', Key: 'typed' };
    for (const ContentType of ['text/html', undefined]) {
      const refused = {
        Code: 'InvalidMimeType',
        $metadata: expect.objectContaining({ httpStatusCode: 415 }),
      };
      const type = ContentType === undefined ? {} : { ContentType };
      await expect(s3.send(new PutObjectCommand({ ...place, ...type, Body: 'x' }))).rejects.toMatchObject(
        refused,
      );
      await expect(s3.send(new CreateMultipartUploadCommand({ ...place, ...type }))).rejects.toMatchObject(
        refused,
      );
    }
    await s3.send(new PutObjectCommand({ ...place, ContentType: 'image/png', Body: 'x' }));
  });

  it('counts for a resumable upload with a signature', async () => {
    const made = await call('POST', '/object/upload/sign/tight/signed-tus', { token, body: {} });
    const answer = await call('POST', '/upload/resumable/sign', {
      headers: {
        ...tus,
        'x-signature': (made.json() as { token: string }).token,
        'upload-length': '1',
        'upload-metadata': encodeMetadata({ bucketName: 'tight', objectName: 'signed-tus' }),
      },
    });
    expect([answer.status, answer.text]).toEqual([415, expect.stringContaining('is not supported')]);
  });
});

describe('an upload that stands still', () => {
  /** Sends a head and the beginning of a body; yields what comes back until the connection ends. */
  function stall(head: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      const isChunked = head.some((line) => line.includes('chunked'));
      const body = isChunked ? '5\r\nbegin\r\n' : 'begin';
      socket.write(`${head.join('\r\n')}\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n${body}`);
      socket.on('data', (chunk) => {
        answer += String(chunk);
      });
      socket.once('error', reject);
      socket.once('close', () => resolve(answer));
    });
  }

  it.each([
    ['with a length', 'content-length: 100000'],
    ['in chunks', 'transfer-encoding: chunked'],
  ])('%s is cut off after a while and leaves nothing', async (_case, framing) => {
    const before = (await instance.blobs()).length;
    expect(await stall(['POST /storage/v1/object/open/stalled HTTP/1.1', framing])).toMatch(
      /^HTTP\/1.1 408 /,
    );
    await until(async () => (await instance.unfinished()).length === 0);
    expect(await instance.blobs()).toHaveLength(before);
    expect((await call('GET', '/object/public/open/stalled')).status).toBe(400);
  });

  it('keeps what it has when it can be resumed', async () => {
    const made = await createResumable('open', 'stalled', { 'upload-length': '100' });
    const path = resumablePath(made);
    await stall([
      `PATCH /storage/v1${path} HTTP/1.1`,
      'tus-resumable: 1.0.0',
      'upload-offset: 0',
      'content-type: application/offset+octet-stream',
      'content-length: 100',
    ]);
    await until(async () => {
      const head = await call('HEAD', path, { token, headers: tus });
      return head.headers.get('upload-offset') === '5';
    });
  });
});
