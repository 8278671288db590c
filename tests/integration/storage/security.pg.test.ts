import { randomUUID } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { send } from '../../support/http.ts';
import { startStorage } from '../../support/storage.ts';
import { until } from '../../support/until.ts';

/*
 * What clients must not be able to do, over every door of the service: the REST routes, resumable uploads, and S3.
 */
const limit = 1000;
const instance = await startStorage({
  env: { OWNBASE_STORAGE_DELETE_GRACE: '0', OWNBASE_UPLOAD_IDLE_TIMEOUT: '800ms' },
});
const { call, port, serviceKey: token, database, deps } = instance;
const s3 = new S3Client({
  endpoint: `${instance.url}/storage/v1/s3`,
  forcePathStyle: true,
  region: deps.keys.s3.region,
  credentials: deps.keys.s3,
  maxAttempts: 1,
});

await call('POST', '/bucket', { token, body: { name: 'open', public: true } });
await call('POST', '/bucket', { token, body: { name: 'private' } });
await call('POST', '/bucket', {
  token,
  body: { name: 'tight', file_size_limit: limit, allowed_mime_types: ['image/png'] },
});

const tus = { 'tus-resumable': '1.0.0' };
const encode = (text: string): string => Buffer.from(text).toString('base64');
const createResumable = (bucket: string, name: string, headers: Record<string, string>) =>
  call('POST', '/upload/resumable', {
    token,
    headers: {
      ...tus,
      'upload-metadata': `bucketName ${encode(bucket)},objectName ${encode(name)},contentType ${encode('image/png')}`,
      ...headers,
    },
  });
const pathOf = (headers: Headers): string =>
  new URL(headers.get('location') ?? '').pathname.replace('/storage/v1', '');

const rows = async (): Promise<number> =>
  (await database.owner.query(sql`select 1 from storage.objects`)).length;

describe('a name that climbs', () => {
  const forms = [
    '../../secret',
    '..%2f..%2fsecret',
    '%2e%2e/%2e%2e/secret',
    '%2e%2e%2f%2e%2e%2fsecret',
    '..%5c..%5csecret',
    '%252e%252e%252f%252e%252e%252fsecret',
    '..%c0%af..%c0%afsecret',
    './../../secret',
    'a/../../../secret',
    '//etc/passwd',
    '%00',
    'a%00.png',
    '....//....//secret',
    '..;/..;/secret',
  ];
  const routes: readonly (readonly [method: string, route: string, body?: string])[] = [
    ['GET', 'object/public/open/'],
    ['GET', 'object/authenticated/private/'],
    ['GET', 'object/private/'],
    ['HEAD', 'object/private/'],
    ['GET', 'object/info/private/'],
    ['GET', 'object/sign/private/'],
    ['GET', 'render/image/public/open/'],
    ['GET', 'render/image/authenticated/private/'],
    ['POST', 'object/sign/private/', '{"expiresIn":60}'],
    ['DELETE', 'object/private/'],
    ['DELETE', 'cdn/private/'],
    ['GET', 's3/private/'],
    ['PUT', 's3/private/', 'x'],
    ['GET', 'upload/resumable/'],
    ['HEAD', 'upload/resumable/'],
    ['PATCH', 'upload/resumable/', 'x'],
    ['DELETE', 'upload/resumable/'],
  ];

  it.each(forms)('reaches nothing as %s', async (form) => {
    await writeFile(join(instance.root, 'secret'), 'outside');
    const authorization = `Bearer ${token}`;
    for (const [method, route, body] of routes) {
      const answer = await send(port, `/storage/v1/${route}${form}`, {
        method,
        headers: { authorization, ...tus, 'content-type': 'application/json', 'upload-offset': '0' },
        ...(body === undefined ? {} : { body }),
      });
      expect([method, route, answer.status >= 400 && answer.status < 500]).toEqual([method, route, true]);
      expect(answer.body).not.toMatch(/outside|root:|\/tmp/);
    }
  });

  it.each(forms.map((form) => decodeURIComponent(form.replace(/%c0%af/g, '%ef%bf%bd'))))(
    'is refused in a body as %j, or is a key like any other',
    async (name) => {
      await call('POST', '/object/private/source', { token, body: 'x', headers: { 'x-upsert': 'true' } });
      const before = await readdir(instance.root, { recursive: true });
      const to = { bucketId: 'private', sourceKey: 'source', destinationKey: name };
      const answers = [
        await call('POST', '/object/copy', { token, body: to }),
        await call('POST', '/object/move', { token, body: to }),
        await createResumable('private', name, { 'upload-length': '1' }),
      ];
      const isKey = answers[0]?.status === 200;
      expect(isKey).toBe(/^[\w/.;]+$/.test(name) && !name.split('/').some((part) => /^\.{1,2}$/.test(part)));
      if (!isKey) for (const { status } of answers) expect(status).toBe(400);
      await call('POST', '/object/list/private', { token, body: { prefix: name } });
      const after = await readdir(instance.root, { recursive: true });
      const outside = after.filter(
        (path) => !before.includes(path) && !/^files\/(blobs|growing)\//.test(path),
      );
      expect(outside).toEqual([]);
    },
  );

  it('is refused as a bucket, from the path and from the body', async () => {
    for (const name of ['.', '..', 'a/b', '../x', 'a\0b', 'x--table-s3', ' x', '']) {
      expect((await call('POST', '/bucket', { token, body: { name } })).status).toBe(400);
    }
    for (const id of ['%2e%2e', '..%2f..', 'a%00b', '%c3%a9']) {
      const headers = { authorization: `Bearer ${token}` };
      for (const route of [`bucket/${id}`, `object/info/${id}/x`, `s3/${id}/x`]) {
        expect((await send(port, `/storage/v1/${route}`, { headers })).status).toBeGreaterThanOrEqual(400);
      }
    }
  });
});

/** Bytes over the limit, in chunks without a length. */
async function* tooMuch(): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < 20 * limit; sent += 100) yield Buffer.alloc(100);
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
    ['that has a length', { 'upload-length': String(limit) }],
    ['whose length is to come', { 'upload-defer-length': '1' }],
  ])('is refused as a piece of a resumable upload %s, and adds nothing', async (_case, length) => {
    const path = pathOf((await createResumable('tight', 'tus', length)).headers);
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
        'upload-metadata': `bucketName ${encode('tight')},objectName ${encode('signed-tus')}`,
      },
    });
    expect([answer.status, answer.text]).toEqual([415, expect.stringContaining('is not supported')]);
  });
});

describe('an uploaded document', () => {
  const types = [
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    'text/xsl',
    'application/rdf+xml',
    'multipart/x-mixed-replace; boundary=x',
    'message/rfc822',
  ];

  it.each(types)('of type %s runs no script at the API’s origin, through any door', async (type) => {
    const put = await call('POST', '/object/open/page', {
      token,
      body: '<script>alert(1)</script>',
      headers: { 'content-type': type, 'x-upsert': 'true' },
    });
    expect(put.status).toBe(200);
    const signed = await call('POST', '/object/sign/open/page', { token, body: { expiresIn: 60 } });
    const get = new GetObjectCommand({ Bucket: 'open', Key: 'page' });
    const urls = [
      `${instance.url}/storage/v1/object/public/open/page`,
      `${instance.url}/storage/v1/object/open/page`,
      `${instance.url}/storage/v1${(signed.json() as { signedURL: string }).signedURL}`,
      await getSignedUrl(s3, get),
    ];
    for (const url of urls) {
      const answer = await fetch(url);
      expect([url, answer.status]).toEqual([url, 200]);
      const isText = answer.headers.get('content-type')?.startsWith('text/plain') === true;
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      if (!isText)
        expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
    }
  });

  it('does not become a page by what a signed URL says', async () => {
    await call('POST', '/object/open/text', {
      token,
      body: '<script>',
      headers: { 'content-type': 'text/plain' },
    });
    const get = new GetObjectCommand({ Bucket: 'open', Key: 'text', ResponseContentType: 'text/html' });
    const answer = await fetch(await getSignedUrl(s3, get));
    expect(answer.headers.get('content-type')).toBe('text/html');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
  });
});

describe('an object that policies hide', () => {
  it('looks like a missing one, whatever is asked of it', async () => {
    const user = await instance.userToken(randomUUID());
    await call('POST', '/object/private/hidden', { token, body: 'x' });
    const json = (method: string, path: string, body: object) => (name: string) =>
      call(method, path.replace('NAME', name), {
        token: user,
        body: JSON.parse(JSON.stringify(body).replaceAll('NAME', name)) as object,
      });
    const plain = (method: string, path: string) => (name: string) =>
      call(method, path.replace('NAME', name), { token: user });
    const elsewhere = { bucketId: 'private', sourceKey: 'NAME', destinationKey: 'elsewhere' };
    const asks = [
      plain('GET', '/object/private/NAME'),
      plain('GET', '/object/authenticated/private/NAME'),
      plain('HEAD', '/object/private/NAME'),
      plain('GET', '/object/info/private/NAME'),
      plain('GET', '/object/info/authenticated/private/NAME'),
      plain('GET', '/object/public/private/NAME'),
      plain('GET', '/render/image/authenticated/private/NAME'),
      json('POST', '/object/sign/private/NAME', { expiresIn: 60 }),
      json('POST', '/object/sign/private', { expiresIn: 60, paths: ['NAME'] }),
      json('POST', '/object/copy', elsewhere),
      json('POST', '/object/move', elsewhere),
      json('POST', '/object/list/private', { prefix: '', search: 'NAME' }),
      json('POST', '/object/list-v2/private', { prefix: 'NAME' }),
      json('DELETE', '/object/private', { prefixes: ['NAME'] }),
      json('POST', '/object/upload/sign/private/NAME', {}),
      (name: string) => call('POST', `/object/private/${name}`, { token: user, body: 'x' }),
      (name: string) => call('PUT', `/object/private/${name}`, { token: user, body: 'x' }),
    ];
    for (const ask of asks) {
      const [hidden, missing] = [await ask('hidden'), await ask('nothing')];
      expect([hidden.status, hidden.text.replaceAll('hidden', 'nothing')]).toEqual([
        missing.status,
        missing.text,
      ]);
    }
    expect(await rows()).toBeGreaterThan(0);
  });

  it('is a missing one to a user of S3 too', async () => {
    const sessionToken = await instance.userToken(randomUUID());
    const { region } = deps.keys.s3;
    const mine = new S3Client({
      endpoint: `${instance.url}/storage/v1/s3`,
      forcePathStyle: true,
      region,
      credentials: { accessKeyId: 'project', secretAccessKey: instance.anonKey, sessionToken },
      maxAttempts: 1,
    });
    for (const Key of ['hidden', 'nothing']) {
      await expect(mine.send(new GetObjectCommand({ Bucket: 'private', Key }))).rejects.toMatchObject({
        Code: 'NoSuchKey',
      });
    }
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
    const path = pathOf(made.headers);
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

describe('the tables of storage', () => {
  it('cannot be truncated by the API’s roles', async () => {
    const tables = await database.owner.query<{ name: string }>(
      sql`select relname::text as name from pg_class where relnamespace = 'storage'::regnamespace and relkind = 'r'`,
    );
    expect(tables.length).toBeGreaterThan(3);
    const emptied: string[] = [];
    for (const { name } of tables) {
      for (const role of ['anon', 'authenticated']) {
        const refusal = await database.owner
          .exec(`begin; set local role ${role}; truncate storage.${name} cascade; rollback`)
          .then(() => null)
          .catch((thrown: { sqlstate?: string }) => thrown.sqlstate)
          .finally(() => database.owner.exec('rollback'));
        if (refusal !== '42501') emptied.push(`${name} by ${role}`);
      }
    }
    expect(emptied).toEqual([]);
  });
});
