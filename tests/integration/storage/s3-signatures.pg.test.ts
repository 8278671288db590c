import { createHmac, randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { canonicalHash } from '../../../src/storage/s3/canonical.ts';
import { signingKey } from '../../../src/storage/s3/signature.ts';
import { send } from '../../support/http.ts';
import { s3Failure, startWithS3 } from '../../support/storage-s3.ts';

const instance = await startWithS3();
const { Bucket, s3, clientWith, text, database, deps, port, serviceKey } = instance;
const { accessKeyId, secretAccessKey, region } = deps.keys.s3;

describe('a signature', () => {
  it('opens and fills objects by URL, until its time', async () => {
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'by-url' }), { expiresIn: 60 });
    expect((await fetch(put, { method: 'PUT', body: 'from a url' })).status).toBe(200);
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'by-url' }), { expiresIn: 60 });
    expect(await (await fetch(get)).text()).toBe('from a url');
    const status = async (url: string) => (await fetch(url)).status;
    expect(await status(get.replace('by-url', 'digits'))).toBe(403);
    expect(await status(`${get}&x=1`)).toBe(403);
    expect(await status(get.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=999999999'))).toBe(400);
    const old = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'by-url' }), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 120_000),
    });
    const expired = await fetch(old);
    expect([expired.status, await expired.text()]).toEqual([400, expect.stringContaining('ExpiredToken')]);
  });

  it('is refused with a wrong key, secret, region or clock', async () => {
    const list = (options: S3ClientConfig) => clientWith(options).send(new ListBucketsCommand({}));
    const credentials = { accessKeyId, secretAccessKey };
    await expect(list({ credentials: { ...credentials, accessKeyId: 'x' } })).rejects.toMatchObject(
      s3Failure('AccessDenied', 403),
    );
    await expect(list({ credentials: { ...credentials, secretAccessKey: 'x' } })).rejects.toMatchObject(
      s3Failure('SignatureDoesNotMatch', 403),
    );
    await expect(list({ region: 'eu-west-1' })).rejects.toMatchObject(
      s3Failure('SignatureDoesNotMatch', 403),
    );
    for (const known of ['us-east-1', 'auto']) {
      expect((await list({ region: known })).$metadata.httpStatusCode).toBe(200);
    }
    await expect(list({ systemClockOffset: 3_600_000 })).rejects.toMatchObject(
      s3Failure('RequestTimeTooSkewed', 403),
    );
  });

  it('covers the bytes', async () => {
    const tampering = clientWith({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    tampering.middlewareStack.add(
      (next) => (args) => {
        (args.request as { body: string }).body = 'EVIL!';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'tamper' },
    );
    await expect(
      tampering.send(new PutObjectCommand({ Bucket, Key: 'tampered', Body: 'good!' })),
    ).rejects.toMatchObject(s3Failure('XAmzContentSHA256Mismatch', 400));
    await expect(text('tampered')).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });

  // Whoever is handed a URL to fill one object must not be able to have another copied into it.
  it.each<Record<string, string>>([
    { 'x-amz-copy-source': `${Bucket}/secret` },
    { 'x-amz-meta-reviewed': 'yes' },
    { 'X-Amz-Metadata-Directive': 'REPLACE' },
    { 'x-amz-security-token': 'another' },
  ])('covers everything that a request says in headers of the protocol: %j', async (added) => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'secret', Body: 'secret' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'handed-out' }));
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'handed-out' }));
    const answer = await fetch(url, { method: 'PUT', body: 'x', headers: added });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining('There were headers present in the request which were not signed'),
    ]);
    await expect(text('handed-out')).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });

  it('need not cover what proxies and clients add', async () => {
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'through-proxy' }));
    const added = { 'x-amz-cf-id': 'x', 'x-amz-user-agent': 'aws-sdk-js', 'x-amzn-trace-id': 'x' };
    expect((await fetch(url, { method: 'PUT', body: 'x', headers: added })).status).toBe(200);
  });

  it.each<[string, string, Record<string, string>]>([
    ['the host that arrives', 'there', {}],
    ['the host before a proxy', 'files.example', { 'x-forwarded-host': 'files.example' }],
    ['the first of several', 'files.example', { 'x-forwarded-host': 'files.example, inner.example' }],
    [
      'host and port before a proxy',
      'files.example:8443',
      { 'x-forwarded-host': 'files.example', 'x-forwarded-port': '8443' },
    ],
    ['the host of the standard’s header', 'files.example', { forwarded: 'for=1.2.3.4;host=files.example' }],
    ['the public URL', '127.0.0.1', {}],
  ])('may be for %s', async (_case, host, headers) => {
    const origin = host === 'there' ? instance.url : `http://${host}`;
    const client = clientWith({ endpoint: `${origin}/storage/v1/s3` });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'proxied', Body: 'proxied' }));
    const { pathname, search } = new URL(
      await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'proxied' })),
    );
    const answer = await send(port, pathname + search, { headers });
    expect([answer.status, answer.body]).toEqual([200, 'proxied']);
    const elsewhere = await send(port, pathname + search, {
      headers: { host: 'other.example', 'x-forwarded-host': 'another.example' },
    });
    // The public URL is one that clients may always have signed for.
    expect(elsewhere.status).toBe(host === '127.0.0.1' ? 200 : 403);
  });

  it.each([
    [['host', 'x-amz-date'], 200],
    [['x-amz-date'], 403],
  ])('covers the host it is for, among %j', async (signedHeaders, status) => {
    const longDate = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
    const scope = { shortDate: longDate.slice(0, 8), region, service: 's3' };
    const request = {
      ...{ method: 'GET', path: '/storage/v1/s3/', query: '', host: `127.0.0.1:${port}` },
      ...{ headers: { 'x-amz-date': longDate }, signedHeaders, payloadHash: 'UNSIGNED-PAYLOAD' },
    };
    const credential = `${scope.shortDate}/${region}/s3/aws4_request`;
    const text = ['AWS4-HMAC-SHA256', longDate, credential, canonicalHash(request)].join('\n');
    const signature = createHmac('sha256', signingKey(secretAccessKey, scope)).update(text).digest('hex');
    const answer = await send(port, request.path, {
      headers: {
        ...request.headers,
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
      },
    });
    expect(answer.status).toBe(status);
  });

  it('is needed, whatever else a request brings', async () => {
    for (const headers of [{}, { authorization: `Bearer ${serviceKey}` }, { apikey: serviceKey }]) {
      const answer = await send(port, '/storage/v1/s3/', { headers });
      expect([answer.status, answer.body]).toEqual([
        403,
        expect.stringContaining('<Code>AccessDenied</Code>'),
      ]);
    }
  });
});

describe('a session token', () => {
  const asUser = async (sessionToken: string): Promise<S3Client> =>
    clientWith({
      credentials: { accessKeyId: 'any', secretAccessKey: deps.keys.api.anonToken, sessionToken },
    });

  it('makes the request its user’s, under policies', async () => {
    const id = randomUUID();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'digits', Body: 'x' }));
    const user = await asUser(await instance.userToken(id));
    expect((await user.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    await expect(
      user.send(new PutObjectCommand({ Bucket, Key: `${id}/a`, Body: 'x' })),
    ).rejects.toMatchObject(s3Failure('AccessDenied', 403));
    await database.owner.exec(
      `create policy own on storage.objects to authenticated
       using ((storage.foldername(name))[1] = auth.uid()::text) with check ((storage.foldername(name))[1] = auth.uid()::text)`,
    );
    await user.send(new PutObjectCommand({ Bucket, Key: `${id}/a`, Body: 'mine' }));
    await expect(user.send(new GetObjectCommand({ Bucket, Key: 'digits' }))).rejects.toMatchObject(
      s3Failure('NoSuchKey', 404),
    );
    const listed = await user.send(new ListObjectsV2Command({ Bucket }));
    expect(listed.Contents?.map((entry) => entry.Key)).toEqual([`${id}/a`]);
    const deleted = await user.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: `${id}/a` }, { Key: 'digits' }] } }),
    );
    expect(deleted).toMatchObject({
      Deleted: [{ Key: `${id}/a` }],
      Errors: [{ Key: 'digits', Code: 'AccessDenied' }],
    });
  });

  it('is worth nothing when it is forged', async () => {
    const forged = `${(await instance.userToken(randomUUID())).slice(0, -4)}AAAA`;
    await expect((await asUser(forged)).send(new ListBucketsCommand({}))).rejects.toMatchObject(
      s3Failure('AccessDenied', 403),
    );
  });
});

describe('a browser’s form', () => {
  const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();

  /** Sends a form under a policy for keys that begin with `up/`. */
  async function post(options: {
    fields?: Record<string, string>;
    conditions?: unknown[];
    expiresMs?: number;
    secret?: string;
    body?: string;
  }): Promise<{ status: number; text: string }> {
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const policy = Buffer.from(
      JSON.stringify({
        expiration: new Date(Date.now() + (options.expiresMs ?? 60_000)).toISOString(),
        conditions: [{ bucket: Bucket }, ['starts-with', '$key', 'up/'], ...(options.conditions ?? [])],
      }),
    ).toString('base64');
    const dayKey = hmac(`AWS4${options.secret ?? secretAccessKey}`, day);
    const key = hmac(hmac(hmac(dayKey, region), 's3'), 'aws4_request');
    const form = new FormData();
    const fields = {
      key: 'up/form.txt',
      policy,
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${accessKeyId}/${day}/${region}/s3/aws4_request`,
      'X-Amz-Date': `${day}T000000Z`,
      'X-Amz-Signature': hmac(key, policy).toString('hex'),
      ...options.fields,
    };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob([options.body ?? 'from a form'], { type: 'text/plain' }), 'a.txt');
    const answer = await fetch(`${instance.url}/storage/v1/s3/${Bucket}`, { method: 'POST', body: form });
    return { status: answer.status, text: await answer.text() };
  }

  it('uploads what its policy allows, with the metadata that it covers', async () => {
    const conditions = [{ 'Content-Type': 'text/css' }, ['starts-with', '$x-amz-meta-by', '']];
    const fields = { 'Content-Type': 'text/css', 'X-Amz-Meta-By': 'form' };
    expect(await post({ conditions, fields })).toMatchObject({ status: 200 });
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'up/form.txt' }))).toMatchObject({
      ContentType: 'text/css',
      Metadata: { by: 'form' },
    });
    expect(await text('up/form.txt')).toBe('from a form');
  });

  it.each<[string, Parameters<typeof post>[0], number, string]>([
    ['another key', { fields: { key: 'elsewhere' } }, 403, 'AccessDenied'],
    ['a field without a condition', { fields: { 'x-amz-meta-extra': 'x' } }, 403, 'AccessDenied'],
    ['a time that is over', { expiresMs: -1000 }, 400, 'ExpiredToken'],
    ['another secret', { secret: 'x' }, 403, 'SignatureDoesNotMatch'],
    ['too many bytes', { conditions: [['content-length-range', 0, 3]] }, 413, 'EntityTooLarge'],
    ['too few bytes', { conditions: [['content-length-range', 100, 200]] }, 400, 'EntityTooSmall'],
    ['a name that leaves the bucket', { fields: { key: 'up/../../x' } }, 400, 'InvalidKey'],
  ])('is refused with %s', async (_case, options, status, code) => {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'up/form.txt' }));
    expect(await post(options)).toEqual({ status, text: expect.stringContaining(`<Code>${code}</Code>`) });
    await expect(text('up/form.txt')).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });
});
