import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type Answer, startStorage } from '../../support/storage.ts';
import { tusPath as base, encodeMetadata as encode, pieceType as piece, tusOf } from '../../support/tus.ts';

const instance = await startStorage({ env: { FILE_SIZE_LIMIT: '1000000' } });
const { call, serviceKey, database } = instance;

await call('POST', '/bucket', { token: serviceKey, body: { name: 'b' } });
await call('POST', '/bucket', {
  token: serviceKey,
  body: { name: 'tight', file_size_limit: 100, allowed_mime_types: ['image/png'] },
});

const { tus, create, patch, pathOf } = tusOf(instance.url, serviceKey);

const read = (path: string): Promise<Answer> => call('GET', `/object/${path}`, { token: serviceKey });

describe('the protocol refuses', () => {
  const fields = { bucketName: 'b', objectName: 'refused' };
  it.each<[string, () => Promise<Answer>, number, string]>([
    ['no version', () => call('POST', base, { token: serviceKey }), 412, 'Tus-Resumable Required\n'],
    [
      'no length',
      () => tus('POST', base, { headers: { 'upload-metadata': encode(fields) } }),
      400,
      'Upload-Length or Upload-Defer-Length header required\n',
    ],
    [
      'no metadata',
      () => tus('POST', base, { headers: { 'upload-length': '1' } }),
      400,
      'Metadata header is required',
    ],
    [
      'metadata that is none',
      () => tus('POST', base, { headers: { 'upload-length': '1', 'upload-metadata': 'a b c' } }),
      400,
      'Invalid upload-metadata\n',
    ],
    [
      'a length that is none',
      () => tus('POST', base, { headers: { 'upload-length': '-1', 'upload-metadata': encode(fields) } }),
      400,
      'Invalid upload-length\n',
    ],
    [
      'concatenation',
      () => create(fields, 1, { headers: { 'upload-concat': 'partial' } }),
      501,
      'Concatenation extension is not (yet) supported. Disable parallel uploads in the tus client.\n',
    ],
    ['a bucket that is missing', () => create({ ...fields, bucketName: 'none' }, 1), 404, 'Bucket not found'],
    [
      'a name that leaves its bucket',
      () => create({ ...fields, objectName: '../x' }, 1),
      400,
      'Invalid key: ../x',
    ],
    ['more than the instance allows', () => create(fields, 1_000_001), 413, 'Maximum size exceeded\n'],
    [
      'more than the bucket allows',
      () => create({ bucketName: 'tight', objectName: 'a', contentType: 'image/png' }, 101),
      413,
      'Maximum size exceeded\n',
    ],
    [
      'a type that is not listed',
      () => create({ bucketName: 'tight', objectName: 'a', contentType: 'text/plain' }, 1),
      415,
      'mime type text/plain is not supported',
    ],
    [
      'no type where types are listed',
      () => create({ bucketName: 'tight', objectName: 'a' }, 1),
      415,
      'mime type application/octet-stream is not supported',
    ],
    [
      'an unknown upload',
      () => patch(`${base}/${Buffer.from(`b/x/${randomUUID()}`).toString('base64url')}`, 0, 'x'),
      404,
      'The file for this url was not found\n',
    ],
    [
      'an id of dots',
      () => patch(`${base}/${Buffer.from('b/../../etc/passwd/x').toString('base64url')}`, 0, 'x'),
      400,
      'Invalid key: ../../etc/passwd',
    ],
    ['a method that it does not have', () => tus('PUT', `${base}/x`), 404, 'Not found\n'],
  ])('%s', async (_case, request, status, text) => {
    const answer = await request();
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  it('a wrong offset, and more bytes than were announced', async () => {
    const path = pathOf(await create(fields, 4));
    expect(await patch(path, 1, 'x')).toMatchObject({ status: 409, text: 'Upload-Offset conflict\n' });
    expect(await patch(path, 0, '12345')).toMatchObject({ status: 413, text: "upload's size exceeded\n" });
    expect(await tus('PATCH', path, { headers: { 'content-type': piece } })).toMatchObject({ status: 403 });
    expect((await tus('HEAD', path)).headers.get('upload-offset')).toBe('0');
  });

  it('an upload of another object under the same version', async () => {
    const path = pathOf(await create(fields, 4));
    const [bucket, , version] = Buffer.from(path.split('/').at(-1) ?? '', 'base64url')
      .toString()
      .split('/');
    const other = Buffer.from(`${bucket}/elsewhere/${version}`).toString('base64url');
    expect((await patch(`${base}/${other}`, 0, 'x')).status).toBe(404);
  });

  it('a bad token, in the form of the other routes', async () => {
    const answer = await create(fields, 1, { token: 'bad' });
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      { statusCode: '403', message: 'Invalid Compact JWS' },
    ]);
  });

  it('says what it can', async () => {
    const answer = await call('OPTIONS', base);
    expect([answer.status, answer.headers.get('tus-version'), answer.headers.get('tus-max-size')]).toEqual([
      204,
      '1.0.0',
      '1000000',
    ]);
    expect(answer.headers.get('tus-extension')).toBe(
      'creation,creation-with-upload,creation-defer-length,termination,expiration',
    );
  });
});

describe('policies', () => {
  it('are asked at every step', async () => {
    const token = await instance.userToken(randomUUID());
    const fields = { bucketName: 'b', objectName: 'mine' };
    const denied = { status: 403, text: 'new row violates row-level security policy' };
    expect(await create(fields, 4, { token })).toMatchObject(denied);
    await database.owner.exec(
      'create policy i on storage.objects for insert to authenticated with check (true)',
    );
    const path = pathOf(await create(fields, 4, { token }));
    expect((await patch(path, 0, 'ab', { token })).status).toBe(204);
    await database.owner.exec('drop policy i on storage.objects');
    expect(await patch(path, 2, 'cd', { token })).toMatchObject(denied);
    expect(await tus('DELETE', path, { token })).toMatchObject(denied);
    expect((await patch(path, 2, 'cd')).headers.get('tus-complete')).toBe('1');
  });

  it('refuse a key that is taken, also one that is taken on the way', async () => {
    await call('POST', '/object/b/taken', { token: serviceKey, body: 'x' });
    const token = await instance.userToken(randomUUID());
    await database.owner.exec(
      'create policy i on storage.objects for insert to authenticated with check (true)',
    );
    const refused = await create({ bucketName: 'b', objectName: 'taken' }, 1, { token });
    expect([refused.status, refused.text]).toEqual([409, 'The resource already exists']);
    const path = pathOf(await create({ bucketName: 'b', objectName: 'later' }, 1, { token }));
    await call('POST', '/object/b/later', { token: serviceKey, body: 'first' });
    expect((await patch(path, 0, 'x', { token })).status).toBe(409);
    expect((await patch(path, 0, 'x')).status).toBe(409);
    expect((await read('b/later')).text).toBe('first');
    await database.owner.exec('drop policy i on storage.objects');
  });

  it('are settled by a signature for the object', async () => {
    const owner = randomUUID();
    await database.owner.exec(
      'create policy i on storage.objects for insert to authenticated with check (true)',
    );
    const signed = await call('POST', '/object/upload/sign/b/signed', {
      token: await instance.userToken(owner),
      body: {},
    });
    await database.owner.exec('drop policy i on storage.objects');
    const signature = { 'x-signature': (signed.json() as { token: string }).token };
    const options = { path: `${base}/sign`, token: 'unused' };
    expect(await create({ bucketName: 'b', objectName: 'signed' }, 2, options)).toMatchObject({
      status: 400,
      text: 'Missing x-signature header',
    });
    expect(
      await create({ bucketName: 'b', objectName: 'other' }, 2, { ...options, headers: signature }),
    ).toMatchObject({
      status: 400,
      text: 'Invalid signature',
    });
    const created = await create({ bucketName: 'b', objectName: 'signed' }, 2, {
      ...options,
      headers: signature,
    });
    expect(pathOf(created)).toMatch(/^\/upload\/resumable\/sign\//);
    expect((await patch(pathOf(created), 0, 'ok', { headers: signature })).status).toBe(204);
    const [row] = await database.owner.query(sql`select owner_id from storage.objects where name = 'signed'`);
    expect(row).toEqual({ owner_id: owner });
  });
});
