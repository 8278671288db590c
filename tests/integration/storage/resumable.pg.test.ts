import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { sweepUploads } from '../../../src/storage/worker.ts';
import { send } from '../../support/http.ts';
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

describe('a resumable upload', () => {
  it('arrives in pieces and becomes visible with the last', async () => {
    const bytes = randomBytes(90_000);
    const created = await create(
      {
        bucketName: 'b',
        objectName: 'f/a.bin',
        contentType: 'image/x',
        cacheControl: '60',
        metadata: '{"k":1}',
      },
      bytes.length,
    );
    expect([created.status, created.text]).toEqual([201, '']);
    expect(created.headers.get('tus-resumable')).toBe('1.0.0');
    expect(created.headers.get('upload-expires')).toMatch(/GMT$/);
    const path = pathOf(created);
    expect(path).toMatch(/^\/upload\/resumable\/[\w-]+$/);
    const first = await patch(path, 0, bytes.subarray(0, 50_000));
    expect([first.status, first.headers.get('upload-offset'), first.headers.get('tus-complete')]).toEqual([
      204,
      '50000',
      null,
    ]);
    expect((await read('b/f/a.bin')).status).toBe(400);
    const head = await tus('HEAD', path);
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'upload-offset': '50000',
      'upload-length': '90000',
      'cache-control': 'no-store',
      'upload-metadata': expect.stringContaining('bucketName Yg=='),
    });
    const last = await patch(path, 50_000, bytes.subarray(50_000));
    expect([last.status, last.headers.get('tus-complete')]).toEqual([204, '1']);
    const done = await read('b/f/a.bin');
    expect(done.bytes.equals(bytes)).toBe(true);
    expect(Object.fromEntries(done.headers)).toMatchObject({
      'content-type': 'image/x',
      'cache-control': 'max-age=60',
      etag: expect.stringMatching(/^"[0-9a-f]{32}-2"$/),
    });
    const [row] = await database.owner.query(
      sql`select user_metadata from storage.objects where name = 'f/a.bin'`,
    );
    expect(row).toEqual({ user_metadata: { k: 1 } });
  });

  it('may bring its bytes with its creation, or none at all', async () => {
    const whole = await create({ bucketName: 'b', objectName: 'whole' }, 5, {
      headers: { 'content-type': piece },
      body: 'hello',
    });
    expect([whole.status, whole.headers.get('upload-offset'), whole.headers.get('tus-complete')]).toEqual([
      201,
      '5',
      '1',
    ]);
    expect((await read('b/whole')).text).toBe('hello');
    expect((await read('b/whole')).headers.get('etag')).toBe('"5d41402abc4b2a76b9719d911017c592"');
    expect((await create({ bucketName: 'b', objectName: 'empty' }, 0)).headers.get('tus-complete')).toBe('1');
    expect((await read('b/empty')).text).toBe('');
  });

  it('may say its length later, once', async () => {
    const path = pathOf(await create({ bucketName: 'b', objectName: 'late' }, null));
    expect((await tus('HEAD', path)).headers.get('upload-defer-length')).toBe('1');
    await patch(path, 0, 'abc');
    const last = await patch(path, 3, 'def', { headers: { 'upload-length': '6' } });
    expect(last.headers.get('tus-complete')).toBe('1');
    expect((await read('b/late')).text).toBe('abcdef');
  });

  it('keeps what arrived before its connection broke, and goes on from there', async () => {
    const bytes = randomBytes(400_000);
    const path = pathOf(await create({ bucketName: 'b', objectName: 'broken' }, bytes.length));
    const socket = connect(instance.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `PATCH /storage/v1${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${serviceKey}\r\n` +
        `tus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: ${piece}\r\ncontent-length: ${bytes.length}\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, 150_000));
    await vi.waitFor(async () => {
      const files = await readdir(join(instance.folder, 'growing'));
      const sizes = await Promise.all(files.map((file) => stat(join(instance.folder, 'growing', file))));
      expect(sizes.some(({ size }) => size >= 65_536)).toBe(true);
    });
    // The HEAD asks the writer, whose client hangs, to let go.
    const offset = Number((await tus('HEAD', path)).headers.get('upload-offset'));
    expect(offset).toBeGreaterThanOrEqual(65_536);
    socket.destroy();
    const last = await patch(path, offset, bytes.subarray(offset));
    expect(last.headers.get('tus-complete')).toBe('1');
    expect((await read('b/broken')).bytes.equals(bytes)).toBe(true);
  });

  it('may keep a folder visible, empty, whatever types its bucket takes', async () => {
    const placeholder = { bucketName: 'tight', objectName: 'folder/.emptyFolderPlaceholder' };
    expect((await create(placeholder, 0)).status).toBe(201);
    expect((await read('tight/folder/.emptyFolderPlaceholder')).status).toBe(200);
    expect((await create({ ...placeholder, objectName: 'full/.emptyFolderPlaceholder' }, 1)).status).toBe(
      415,
    );
  });

  it('has one writer: two that send the same piece do not mix their bytes', async () => {
    const bytes = randomBytes(200_000);
    const path = pathOf(await create({ bucketName: 'b', objectName: 'two' }, bytes.length));
    const answers = await Promise.all([patch(path, 0, bytes), patch(path, 0, bytes)]);
    // The first lets go for the second, which finds that the upload has moved on; or it was done before.
    for (const { status } of answers) expect([204, 400, 409]).toContain(status);
    const offset = Number((await tus('HEAD', path)).headers.get('upload-offset'));
    if (offset < bytes.length) await patch(path, offset, bytes.subarray(offset));
    expect((await read('b/two')).bytes.equals(bytes)).toBe(true);
  });

  const own = `http://127.0.0.1:${instance.port}/storage/v1`;
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['its own', {}, own],
    ['another', { host: 'files.example:8443' }, 'http://files.example:8443/storage/v1'],
    [
      'that of a proxy',
      { 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' },
      'https://app.example/storage/v1',
    ],
    [
      'that of a proxy with a port apart',
      { 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '8443' },
      'https://app.example:8443/storage/v1',
    ],
    [
      'that of a proxy with a port of its own and one apart',
      { 'x-forwarded-host': 'app.example:80', 'x-forwarded-port': '8080' },
      'http://app.example:8080/storage/v1',
    ],
    [
      'that of a proxy on the usual port',
      { 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' },
      'https://app.example/storage/v1',
    ],
    [
      'that of a proxy which says it in one header',
      { forwarded: 'for=1.2.3.4;proto=https;host="app.example"' },
      'https://app.example/storage/v1',
    ],
    [
      'that of a proxy which serves it under a path',
      { 'x-forwarded-host': 'app.example', 'x-forwarded-prefix': '/backend/' },
      'http://app.example/backend/storage/v1',
    ],
  ])('has an address under the name that the client used: %s', async (_case, headers, expected) => {
    const answer = await send(instance.port, `/storage/v1${base}/`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${serviceKey}`,
        'tus-resumable': '1.0.0',
        'upload-length': '1',
        'upload-metadata': encode({ bucketName: 'b', objectName: 'named' }),
        ...headers,
      },
    });
    expect(String(answer.headers.location).replace(/[\w-]+$/, 'ID')).toBe(`${expected}${base}/ID`);
  });

  it('is finished by whoever asks for it when the last step was lost', async () => {
    const path = pathOf(await create({ bucketName: 'b', objectName: 'lost-step' }, 3));
    await patch(path, 0, 'ab');
    const [row] = await database.owner.query<{ version: string }>(
      sql`select version from ownbase.resumable_upload where name = 'lost-step'`,
    );
    const { Readable } = await import('node:stream');
    await instance.deps.store.growing.append(row?.version ?? '', 2, Readable.from([Buffer.from('c')]), {
      maxBytes: 9,
    });
    await database.owner.exec(
      `update ownbase.resumable_upload set received = 3, digests = digests || '00000000000000000000000000000000'::text
       where name = 'lost-step'`,
    );
    expect((await tus('HEAD', path)).headers.get('upload-offset')).toBe('3');
    expect((await read('b/lost-step')).text).toBe('abc');
  });

  it('can be given up until it is complete', async () => {
    const path = pathOf(await create({ bucketName: 'b', objectName: 'given-up' }, 5));
    await patch(path, 0, 'ab');
    expect((await tus('DELETE', path)).status).toBe(204);
    const again = await patch(path, 2, 'cde');
    expect([again.status, again.text]).toEqual([404, 'The file for this url was not found\n']);
    const done = pathOf(await create({ bucketName: 'b', objectName: 'kept' }, 0));
    const taken = await tus('DELETE', done);
    expect([taken.status, taken.text]).toEqual([409, 'The resource already exists']);
    const refused = await tus('DELETE', done, { headers: { 'x-upsert': 'true' } });
    expect([refused.status, refused.text]).toEqual([400, 'Cannot terminate an already completed upload']);
  });

  it('ends with its time', async () => {
    const path = pathOf(await create({ bucketName: 'b', objectName: 'old' }, 5));
    await patch(path, 0, 'ab');
    await database.owner.exec(
      `update ownbase.resumable_upload set expires_at = now() - interval '1 s' where name = 'old'`,
    );
    expect([(await tus('HEAD', path)).status, (await patch(path, 2, 'cde')).status]).toEqual([410, 410]);
    await sweepUploads(instance.deps);
    expect((await patch(path, 2, 'cde')).status).toBe(404);
    const left = [];
    for await (const { id } of instance.deps.store.growing.list()) left.push(id);
    const known = await database.owner.query<{ version: string }>(
      sql`select version from ownbase.resumable_upload`,
    );
    expect(left.filter((upload) => !known.some((row) => row.version === upload))).toEqual([]);
  });
});
