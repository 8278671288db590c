import { randomUUID } from 'node:crypto';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startGuarded } from '../../support/storage-security.ts';

/*
 * What clients must not be able to do, or to see, over every door of the service.
 */
const instance = await startGuarded();
const { call, token, s3, database, deps } = instance;

const rows = async (): Promise<number> =>
  (await database.owner.query(sql`select 1 from storage.objects`)).length;

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
