import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { drainBatch, runWorker } from '../../../src/storage/worker.ts';
import { startWithBuckets } from '../../support/storage-objects.ts';

const instance = await startWithBuckets();
const { call, port, token, upload, download, rowsOf, expectNothingLeft } = instance;

describe('an upload', () => {
  it('answers with the id and the key, and reads back equal', async () => {
    const answer = await upload('files/folder/a.txt', 'hello', { 'cache-control': 'max-age=60' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ Id: expect.any(String), Key: 'files/folder/a.txt' });
    const read = await download('files/folder/a.txt');
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
    const [row] = await rowsOf('meta.txt');
    expect(row?.metadata).toEqual({
      eTag: '"5d41402abc4b2a76b9719d911017c592"',
      size: 5,
      mimetype: 'text/plain',
      cacheControl: 'no-cache',
      lastModified: expect.any(String),
      contentLength: 5,
      httpStatusCode: 200,
    });
    expect(row?.user_metadata).toEqual({});
  });

  it('takes a form whose file has no field name, with the fields before it', async () => {
    const form = new FormData();
    form.append('cacheControl', '3600');
    form.append('metadata', JSON.stringify({ colour: 'blue' }));
    form.append('', new Blob(['from a form'], { type: 'text/css' }), 'style.css');
    const answer = await fetch(`${instance.url}/storage/v1/object/files/form.css`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect(await answer.json()).toMatchObject({ Key: 'files/form.css' });
    const [row] = await rowsOf('form.css');
    expect(row?.metadata).toMatchObject({ mimetype: 'text/css', cacheControl: 'max-age=3600', size: 11 });
    expect(row?.user_metadata).toEqual({ colour: 'blue' });
    expect((await download('files/form.css')).text).toBe('from a form');
  });

  it('reads user metadata from a header and drops what is no JSON', async () => {
    const metadata = Buffer.from(JSON.stringify({ a: [1] })).toString('base64');
    await upload('files/with-metadata', 'x', { 'x-metadata': metadata });
    expect((await rowsOf('with-metadata'))[0]?.user_metadata).toEqual({ a: [1] });
    await upload('files/bad-metadata', 'x', { 'x-metadata': 'not base64 of json' });
    expect((await rowsOf('bad-metadata'))[0]?.user_metadata).toEqual({});
  });

  it('refuses user metadata with a NUL, which the database cannot hold', async () => {
    const metadata = Buffer.from('{"a":"\\u0000"}').toString('base64');
    expect((await upload('files/nul-metadata', 'x', { 'x-metadata': metadata })).json()).toMatchObject({
      statusCode: '400',
      code: 'InvalidParameter',
    });
    expect(await rowsOf('nul-metadata')).toEqual([]);
  });

  it('refuses user metadata of a form above 1 MiB', async () => {
    const form = new FormData();
    form.append('metadata', JSON.stringify({ text: 'x'.repeat(1024 * 1024) }));
    form.append('', new Blob(['x'], { type: 'text/plain' }), 'file');
    const answer = await fetch(`${instance.url}/storage/v1/object/files/much-metadata`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect(await answer.json()).toMatchObject({
      statusCode: '413',
      message: 'The user_metadata exceeded the maximum allowed size',
    });
    expect(await rowsOf('much-metadata')).toEqual([]);
  });

  it('replaces by `x-upsert: true` alone, in no other spelling', async () => {
    await upload('files/spelt', 'first');
    for (const spelt of ['TRUE', 'True', '1', 'yes', 'false', '']) {
      const answer = await upload('files/spelt', 'second', { 'x-upsert': spelt });
      expect(answer.json()).toMatchObject({ statusCode: '409' });
    }
    expect((await download('files/spelt')).text).toBe('first');
  });

  it('into a bucket that is deleted on the way is refused, and leaves no row and no blob', async () => {
    await call('POST', '/bucket', { token, body: { name: 'going' } });
    const before = (await instance.blobs()).length;
    const socket = connect(port, '127.0.0.1');
    const answered = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += String(chunk);
        if (text.includes('}')) resolve(text);
      });
    });
    socket.write(
      `POST /storage/v1/object/going/late HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
        'content-type: text/plain\r\ncontent-length: 10\r\n\r\nbegin',
    );
    await vi.waitFor(async () => expect(await instance.unfinished()).toHaveLength(1));
    expect((await call('DELETE', '/bucket/going', { token })).status).toBe(200);
    socket.write('ended');
    expect(await answered).toContain('"statusCode":"404"');
    socket.destroy();
    await expectNothingLeft('late', before);
  });

  it('keeps JSON bodies as bytes and an empty body as an empty object', async () => {
    await upload('files/data.json', '{"a": 1}', { 'content-type': 'application/json' });
    expect((await download('files/data.json')).text).toBe('{"a": 1}');
    await upload('files/empty', '');
    const read = await download('files/empty');
    expect([read.status, read.text, read.headers.get('content-length')]).toEqual([200, '', '0']);
  });

  it('refuses a taken key without x-upsert: true, and replaces it with it, keeping the id', async () => {
    const first = (await upload('files/twice', 'one')).json() as { Id: string };
    for (const headers of [{}, { 'x-upsert': 'TRUE' }, { 'x-upsert': 'false' }]) {
      const refused = await upload('files/twice', 'two', headers);
      expect([refused.status, refused.json()]).toEqual([
        400,
        {
          statusCode: '409',
          error: 'Duplicate',
          message: 'The resource already exists',
          code: 'KeyAlreadyExists',
        },
      ]);
    }
    const second = (await upload('files/twice', 'two', { 'x-upsert': 'true' })).json() as { Id: string };
    expect(second.Id).toBe(first.Id);
    expect((await download('files/twice')).text).toBe('two');
    await upload('files/twice', 'three', {}, 'PUT');
    expect((await download('files/twice')).text).toBe('three');
  });

  it('leaves one blob per row once the outbox is drained', async () => {
    await upload('files/replaced', 'one');
    await upload('files/replaced', 'two', {}, 'PUT');
    while ((await drainBatch(instance.deps)) > 0);
    const versions = await instance.database.owner.query<{ version: string }>(
      sql`select version from storage.objects order by version`,
    );
    expect((await instance.blobs()).sort()).toEqual(versions.map((row) => row.version));
  });

  it('lets exactly one of many uploads to a new key win, and keeps only its bytes', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => upload('files/race', `body ${i}`)));
    const winners = answers.flatMap((answer, i) => (answer.status === 200 ? [i] : []));
    expect(winners).toHaveLength(1);
    expect((await download('files/race')).text).toBe(`body ${winners[0]}`);
  });

  it('keeps one row and one blob of many upserts at once', async () => {
    const before = (await instance.blobs()).length;
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => upload('files/upserts', `body ${i}`, { 'x-upsert': 'true' })),
    );
    while ((await drainBatch(instance.deps)) > 0);
    expect(await instance.blobs()).toHaveLength(before + 1);
    expect((await download('files/upserts')).text).toMatch(/^body \d$/);
  });
});

it('the worker of the outbox ends at once when it is stopped in the middle of its work', async () => {
  const stopping = new AbortController();
  const running = runWorker(instance.deps, stopping.signal);
  stopping.abort();
  await running;
}, 5_000);
