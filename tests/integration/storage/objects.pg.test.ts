import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startStorage } from '../../support/storage.ts';

const instance = await startStorage({
  env: { OWNBASE_STORAGE_DELETE_GRACE: '0' },
});
const { call, serviceKey: token } = instance;

await call('POST', '/bucket', { token, body: { name: 'files' } });
await call('POST', '/bucket', { token, body: { name: 'open', public: true } });

const upload = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  call('POST', `/object/${path}`, { token, body, headers: { 'content-type': 'text/plain', ...headers } });

describe('an upload', () => {
  it('answers with the id and the key, and reads back equal', async () => {
    const answer = await upload('files/folder/a.txt', 'hello', { 'cache-control': 'max-age=60' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ Id: expect.any(String), Key: 'files/folder/a.txt' });
    const read = await call('GET', '/object/authenticated/files/folder/a.txt', { token });
    expect(read.text).toBe('hello');
    expect(Object.fromEntries(read.headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '5',
      etag: '"5d41402abc4b2a76b9719d911017c592"',
      'cache-control': 'max-age=60',
      'accept-ranges': 'bytes',
      'x-robots-tag': 'none',
      'x-content-type-options': 'nosniff',
    });
  });

  it('writes every member of the metadata', async () => {
    await upload('files/meta.txt', 'hello');
    const [row] = await instance.database.owner.query<{ metadata: unknown }>(
      sql`select metadata, user_metadata from storage.objects where name = 'meta.txt'`,
    );
    expect(row?.metadata).toEqual({
      eTag: '"5d41402abc4b2a76b9719d911017c592"',
      size: 5,
      mimetype: 'text/plain',
      cacheControl: 'no-cache',
      lastModified: expect.any(String),
      contentLength: 5,
      httpStatusCode: 200,
    });
  });
});
