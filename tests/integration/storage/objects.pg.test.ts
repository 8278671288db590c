import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { drainBatch, runWorker } from '../../../src/storage/worker.ts';
import { send } from '../../support/http.ts';
import { startStorage } from '../../support/storage.ts';

const instance = await startStorage({
  env: { OWNBASE_STORAGE_DELETE_GRACE: '0', FILE_SIZE_LIMIT: '300000' },
});
const { call, serviceKey: token, port } = instance;

await call('POST', '/bucket', { token, body: { name: 'files' } });
await call('POST', '/bucket', { token, body: { name: 'open', public: true } });
await call('POST', '/bucket', {
  token,
  body: { name: 'tight', file_size_limit: '1KB', allowed_mime_types: ['text/*', 'image/png'] },
});

const upload = (path: string, body: string | Buffer, headers: Record<string, string> = {}, method = 'POST') =>
  call(method, `/object/${path}`, { token, body, headers: { 'content-type': 'text/plain', ...headers } });
const download = (path: string, headers: Record<string, string> = {}) =>
  call('GET', `/object/authenticated/${path}`, { token, headers });
const rowsOf = (name: string) =>
  instance.database.owner.query<{
    metadata: Record<string, unknown>;
    user_metadata: unknown;
    version: string;
  }>(sql`select metadata, user_metadata, version from storage.objects where name = ${name}`);

/** What every refused upload must leave behind: nothing. */
async function expectNothingLeft(name: string, blobsBefore: number): Promise<void> {
  expect(await rowsOf(name)).toEqual([]);
  await vi.waitFor(async () => {
    expect(await instance.unfinished()).toEqual([]);
    expect(await instance.blobs()).toHaveLength(blobsBefore);
  });
}

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

describe('a refused upload leaves nothing', () => {
  const tooLarge = {
    statusCode: '413',
    error: 'Payload too large',
    message: 'The object exceeded the maximum allowed size',
    code: 'EntityTooLarge',
  };

  it('when its declared length is above the bucket’s or the instance’s limit', async () => {
    const before = (await instance.blobs()).length;
    expect((await upload('tight/big.txt', 'x'.repeat(1001))).json()).toEqual(tooLarge);
    expect((await upload('files/big.txt', Buffer.alloc(300_001))).json()).toEqual(tooLarge);
    expect((await upload('tight/exact.txt', 'x'.repeat(1000))).status).toBe(200);
    await expectNothingLeft('big.txt', before + 1);
  });

  it('when a chunked body passes the limit on its way', async () => {
    const before = (await instance.blobs()).length;
    const chunks = (async function* () {
      for (let i = 0; i < 50; i++) yield Buffer.alloc(100);
    })();
    const answer = await fetch(`${instance.url}/storage/v1/object/tight/chunked.txt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
      body: chunks as never,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toEqual(tooLarge);
    await expectNothingLeft('chunked.txt', before);
  });

  it('when the file of a form passes the limit', async () => {
    const before = (await instance.blobs()).length;
    const form = new FormData();
    form.append('', new Blob(['x'.repeat(5000)], { type: 'text/plain' }), 'a.txt');
    const answer = await fetch(`${instance.url}/storage/v1/object/tight/form.txt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect(await answer.json()).toEqual(tooLarge);
    await expectNothingLeft('form.txt', before);
  });

  it('when its type is not on the bucket’s list', async () => {
    const refused = await upload('tight/a.gif', 'x', { 'content-type': 'image/gif' });
    expect(refused.json()).toEqual({
      statusCode: '415',
      error: 'invalid_mime_type',
      message: 'mime type image/gif is not supported',
      code: 'InvalidMimeType',
    });
    expect((await upload('tight/a.png', 'x', { 'content-type': 'image/png' })).status).toBe(200);
    expect((await upload('tight/b.txt', 'x', { 'content-type': 'text/plain;charset=UTF-8' })).status).toBe(
      200,
    );
  });

  it('when a folder placeholder has bytes; an empty one of any type passes', async () => {
    const full = await upload('tight/f/.emptyFolderPlaceholder', 'x', { 'content-type': 'a/b' });
    expect(full.json()).toEqual(tooLarge);
    const empty = await upload('tight/f/.emptyFolderPlaceholder', '', { 'content-type': 'a/b' });
    expect(empty.status).toBe(200);
  });

  it('when the client goes away in the middle of a raw body', async () => {
    const before = (await instance.blobs()).length;
    await cutOff(
      `POST /storage/v1/object/files/cut.bin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
        'content-type: application/octet-stream\r\ncontent-length: 200000\r\n\r\n',
    );
    await expectNothingLeft('cut.bin', before);
  });

  it('when the client goes away in the middle of a form', async () => {
    const before = (await instance.blobs()).length;
    await cutOff(
      `POST /storage/v1/object/files/cut-form.bin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
        'content-type: multipart/form-data; boundary=b\r\ncontent-length: 200000\r\n\r\n' +
        '--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\ncontent-type: text/plain\r\n\r\n',
    );
    await expectNothingLeft('cut-form.bin', before);
  });

  /** Sends a head and a part of the body, waits until the service is writing it, and breaks the connection. */
  async function cutOff(head: string): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(head);
    socket.write(randomBytes(50_000));
    await vi.waitFor(async () => expect(await instance.unfinished()).toHaveLength(1));
    socket.destroy();
  }

  it('when the bucket does not exist', async () => {
    expect((await upload('nowhere/a', 'x')).json()).toEqual({
      statusCode: '404',
      error: 'Bucket not found',
      message: 'Bucket not found',
      code: 'NoSuchBucket',
    });
  });

  it('when a form has no file', async () => {
    const form = new FormData();
    form.append('cacheControl', '60');
    const answer = await fetch(`${instance.url}/storage/v1/object/files/no-file`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { message: 'No content provided' }]);
  });

  it('when x-robots-tag is no rule; a good one comes back on download', async () => {
    expect((await upload('files/robots', 'x', { 'x-robots-tag': 'nonsense' })).json()).toEqual({
      statusCode: '400',
      error: 'invalid_x_robots_tag',
      message: 'Invalid X-Robots-Tag header: Invalid X-Robots-Tag rule: "nonsense"',
      code: 'InvalidRequest',
    });
    await upload('files/robots', 'x', { 'x-robots-tag': 'noindex, nofollow' });
    expect((await download('files/robots')).headers.get('x-robots-tag')).toBe('noindex, nofollow');
  });
});

describe('an object’s name', () => {
  it('may have every allowed character, and reads back by the same path', async () => {
    const name = "a!-_.*'() &$=@;:+,?/ñ".replace('ñ', 'z');
    const target = `/storage/v1/object/files/${encodeURIComponent(name).replaceAll('%2F', '/')}`;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await send(port, target, { method: 'POST', headers, body: 'special' });
    expect(answer.json()).toMatchObject({ Key: `files/${name}` });
    expect((await send(port, target, { headers })).body).toBe('special');
  });

  it.each([
    ['..', '..'],
    ['a/../b', 'a/../b'],
    ['../../etc/passwd', '../../etc/passwd'],
    ['%2e%2e/%2e%2e/etc/passwd', '../../etc/passwd'],
    ['%2e%2e%2fx', '../x'],
    ['..%2f..%2fx', '../../x'],
    ['./a', './a'],
    ['a%00b', 'a\0b'],
    ['a%5c..%5cb', 'a\\..\\b'],
    ['%c3%a9', 'é'],
    ['a%25b', 'a%b'],
    ['a%23b', 'a#b'],
    ['a~b', 'a~b'],
    ['', ''],
    [`${'x'.repeat(300)}`, 'x'.repeat(300)],
    [`${'y/'.repeat(1000)}y`, `${'y/'.repeat(1000)}y`],
  ])('is refused as %j', async (raw, name) => {
    const before = (await instance.blobs()).length;
    const headers = { authorization: `Bearer ${token}` };
    const invalid = {
      statusCode: '400',
      error: 'InvalidKey',
      message: `Invalid key: ${name}`,
      code: 'InvalidKey',
    };
    // A name of good characters that no object can have is one that is not there.
    const missing = { statusCode: '404', error: 'not_found', message: 'Object not found', code: 'NoSuchKey' };
    const read = /^[\w/.]+$/.test(name) ? missing : invalid;
    for (const [method, route, expected] of [
      ['POST', 'object/files/', invalid],
      ['GET', 'object/authenticated/files/', read],
      ['GET', 'object/public/open/', read],
      ['HEAD', 'object/files/', null],
    ] as const) {
      const answer = await send(port, `/storage/v1/${route}${raw}`, {
        method,
        headers,
        ...(method === 'POST' ? { body: 'x' } : {}),
      });
      expect(answer.status).toBe(400);
      if (expected !== null) expect(answer.json()).toEqual(expected);
    }
    expect(await instance.blobs()).toHaveLength(before);
  });

  it('is refused when its escapes are malformed', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await send(port, '/storage/v1/object/files/a%zz', { headers });
    expect(answer.status).toBe(400);
  });

  it('does not reach outside its bucket when the bucket is dots', async () => {
    const headers = { authorization: `Bearer ${token}` };
    for (const target of ['/object/public/../files/a', '/object/public/%2e%2e/files/a', '/object/..%2f/a']) {
      const answer = await send(port, `/storage/v1${target}`, { headers });
      expect(answer.status).toBe(400);
    }
  });
});

describe('a download', () => {
  it.each([
    ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
    ['bytes=5-', 206, '56789', 'bytes 5-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
  ])('of the range %s is a part', async (range, status, text, contentRange) => {
    await upload('open/digits', '0123456789', { 'x-upsert': 'true' });
    const answer = await call('GET', '/object/public/open/digits', { headers: { range } });
    expect([answer.status, answer.text, answer.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ]);
    expect(answer.headers.get('content-length')).toBe(String(text.length));
  });

  it.each(['bytes=10-', 'bytes=5-2', 'bytes=-0', 'bytes=0-1,3-4', 'bytes=', 'lines=1-2'])(
    'of the range %s is not satisfiable',
    async (range) => {
      await upload('open/digits', '0123456789', { 'x-upsert': 'true' });
      const answer = await call('GET', '/object/public/open/digits', { headers: { range } });
      expect([answer.status, answer.json()]).toEqual([
        416,
        {
          statusCode: '416',
          error: 'invalid_range',
          message: 'invalid range provided',
          code: 'InvalidRange',
        },
      ]);
    },
  );

  it('is 304 when the client has it, by tag or by time', async () => {
    await upload('open/cached', 'cached', { 'cache-control': 'max-age=10' });
    const fresh = await call('GET', '/object/public/open/cached');
    const tag = fresh.headers.get('etag') ?? '';
    const modified = fresh.headers.get('last-modified') ?? '';
    for (const headers of [
      { 'if-none-match': tag },
      { 'if-none-match': `"other", ${tag}` },
      { 'if-none-match': '*' },
      { 'if-modified-since': modified },
    ]) {
      const answer = await call('GET', '/object/public/open/cached', { headers });
      expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', tag]);
    }
    const changed = await call('GET', '/object/public/open/cached', {
      headers: { 'if-none-match': '"other"' },
    });
    expect([changed.status, changed.headers.get('cache-control')]).toEqual([
      200,
      'max-age=10, stale-while-revalidate=30',
    ]);
    const older = new Date(Date.parse(modified) - 1000).toUTCString();
    expect(
      (await call('GET', '/object/public/open/cached', { headers: { 'if-modified-since': older } })).status,
    ).toBe(200);
  });

  it('names the file when asked to', async () => {
    await upload('open/d', 'x');
    const disposition = async (query: string) =>
      (await call('GET', `/object/public/open/d?${query}`)).headers.get('content-disposition');
    expect(await disposition('download')).toBe('attachment;');
    expect(await disposition('download=')).toBe('attachment;');
    expect(await disposition('download=a%22b%0A%C3%A9.txt')).toBe(
      "attachment; filename=a%22b%0A%C3%A9.txt; filename*=UTF-8''a%22b%0A%C3%A9.txt",
    );
    expect(await disposition('cacheNonce=1')).toBeNull();
  });

  it('never runs what was uploaded', async () => {
    for (const [type, served] of [
      ['text/html', 'text/plain'],
      ['text/html; charset=utf-8', 'text/plain'],
      ['image/svg+xml', 'image/svg+xml'],
      ['application/xhtml+xml', 'application/xhtml+xml'],
    ] as const) {
      await upload('open/page', '<script>alert(1)</script>', { 'content-type': type, 'x-upsert': 'true' });
      const { headers } = await call('GET', '/object/public/open/page');
      expect(headers.get('content-type')).toBe(served);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      if (served !== 'text/plain') expect(headers.get('content-security-policy')).toContain('sandbox');
    }
  });

  it('streams what is larger than a buffer, and ranges of it', async () => {
    const bytes = randomBytes(250_000);
    await upload('open/large', bytes);
    expect((await call('GET', '/object/public/open/large')).bytes.equals(bytes)).toBe(true);
    const part = await call('GET', '/object/public/open/large', { headers: { range: 'bytes=1000-200999' } });
    expect(part.bytes.equals(bytes.subarray(1000, 201_000))).toBe(true);
  });

  it('reaches a slow client as it was stored', async () => {
    const bytes = randomBytes(3_000_000);
    const version = randomUUID();
    await instance.deps.store.put(version, Readable.from([bytes]), { maxBytes: 1e9 });
    await upload('open/slow', 'x');
    await instance.database.owner.query(sql`update storage.objects set version = ${version},
      metadata = metadata || jsonb_build_object('size', ${bytes.length}::int) where name = 'slow'`);
    const hash = createHash('md5');
    const answer = await fetch(`${instance.url}/storage/v1/object/public/open/slow`);
    for await (const chunk of answer.body ?? []) {
      hash.update(chunk);
      // The server goes on only as the client does.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(hash.digest('hex')).toBe(createHash('md5').update(bytes).digest('hex'));
  });

  it('whose client goes away gives its file back', async () => {
    await upload('open/left', randomBytes(300_000));
    const openFiles = async (): Promise<number> =>
      (
        await Promise.all(
          (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
        )
      ).filter(
        (path) =>
          path.includes('/blobs/') && !path.endsWith('/blobs/') && path.split('/').pop()?.length === 36,
      ).length;
    const sockets = Array.from({ length: 5 }, () => {
      const socket = connect(port, '127.0.0.1');
      // Nobody reads, so that the answer stays in the pipe.
      socket.pause();
      socket.write('GET /storage/v1/object/public/open/left HTTP/1.1\r\nhost: x\r\n\r\n');
      return socket;
    });
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect(await openFiles()).toBe(0));
  });

  it('of a row without its blob says so, is not cached, and keeps the row', async () => {
    await upload('open/lost', 'x');
    const [row] = await rowsOf('lost');
    await instance.deps.store.remove([row?.version ?? '']);
    const answer = await call('GET', '/object/public/open/lost');
    expect([answer.status, answer.headers.get('cache-control'), answer.json()]).toEqual([
      400,
      'no-store',
      { statusCode: '404', error: 'Not found', message: 'The resource was not found', code: 'NoSuchKey' },
    ]);
    expect(await rowsOf('lost')).toHaveLength(1);
  });

  it('has a HEAD with the same facts, and an info', async () => {
    await upload('open/facts', 'hello', { 'x-metadata': Buffer.from('{"k":"v"}').toString('base64') });
    const head = await call('HEAD', '/object/public/open/facts');
    const get = await call('GET', '/object/public/open/facts');
    for (const name of ['etag', 'content-length', 'last-modified', 'content-type', 'cache-control']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    const info = await call('GET', '/object/info/public/open/facts');
    expect(info.json()).toEqual({
      id: expect.any(String),
      name: 'facts',
      version: expect.any(String),
      bucket_id: 'open',
      size: 5,
      content_type: 'text/plain',
      cache_control: 'no-cache',
      etag: '"5d41402abc4b2a76b9719d911017c592"',
      metadata: { k: 'v' },
      last_modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      created_at: expect.stringMatching(/Z$/),
    });
    expect((await call('HEAD', '/object/public/open/none')).status).toBe(400);
  });
});

describe('an unknown route', () => {
  it('is a 404 that names it, in the form of the service below its own paths', async () => {
    const answer = await call('PATCH', '/object/here?x=1');
    expect([answer.status, answer.json()]).toEqual([
      404,
      {
        statusCode: '404',
        error: 'Not Found',
        message: 'Route PATCH:/object/here?x=1 not found',
        code: 'InvalidRequest',
      },
    ]);
    const elsewhere = await call('GET', '/nothing/here?x=1');
    expect([elsewhere.status, elsewhere.json()]).toEqual([
      404,
      { statusCode: 404, error: 'Not Found', message: 'Route GET:/nothing/here?x=1 not found' },
    ]);
  });

  it('is refused when its escapes cannot be read', async () => {
    const answer = await send(port, '/storage/v1/object/files/%zz');
    expect([answer.status, answer.json()]).toEqual([
      400,
      {
        error: 'Bad Request',
        code: 'FST_ERR_BAD_URL',
        message: "'/object/files/%zz' is not a valid url component",
        statusCode: 400,
      },
    ]);
  });
});
