import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { open, readdir, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startWithBuckets } from '../../support/storage-objects.ts';

const instance = await startWithBuckets();
const { call, port, upload, rowsOf } = instance;

/** Bytes that this process holds outside of its heap, where those of bodies are. */
const memory = (): number => process.memoryUsage().arrayBuffers;

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

  /** Blobs that this process has open. */
  const openBlobs = async (): Promise<string[]> => {
    const descriptors = await readdir('/proc/self/fd');
    const paths = await Promise.all(
      descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => '')),
    );
    // The store keeps its folders open too.
    return paths.filter(
      (path) => path.startsWith(`${instance.folder}/blobs/`) && path.split('/').pop()?.length === 36,
    );
  };

  it('whose client goes away gives its file back', async () => {
    await upload('open/left', randomBytes(300_000));
    const sockets = Array.from({ length: 5 }, () => {
      const socket = connect(port, '127.0.0.1');
      // Nobody reads, so that the answer stays in the pipe.
      socket.pause();
      socket.write('GET /storage/v1/object/public/open/left HTTP/1.1\r\nhost: x\r\n\r\n');
      return socket;
    });
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect(await openBlobs()).toEqual([]));
  });

  it('of 10 GB by a slow client takes no memory for what it has not fetched, and ends when it leaves', async () => {
    const size = 10 * 1024 ** 3;
    await upload('open/huge', 'x');
    const [row] = await rowsOf('huge');
    const path = join(instance.folder, 'blobs', row?.version.slice(0, 2) ?? '', row?.version ?? '');
    // Zeros that take no room on the disk, and a mark at the end.
    const file = await open(path, 'r+');
    await file.write('the end', size - 7);
    await file.close();
    await instance.database.owner.query(sql`update storage.objects
      set metadata = metadata || jsonb_build_object('size', ${size}::int8) where name = 'huge'`);
    const url = `${instance.url}/storage/v1/object/public/open/huge`;
    const end = await fetch(url, { headers: { range: `bytes=${size - 7}-` } });
    expect([end.status, await end.text()]).toEqual([206, 'the end']);

    const leaving = new AbortController();
    const answer = await fetch(url, { signal: leaving.signal });
    expect(answer.headers.get('content-length')).toBe(String(size));
    const reader = answer.body?.getReader();
    const growth: number[] = [];
    const before = memory();
    for (let fetched = 0; fetched < 150_000_000; ) {
      fetched += (await reader?.read())?.value?.byteLength ?? 0;
      // The server goes on only as the client does.
      await new Promise((resolve) => setImmediate(resolve));
      growth.push(memory() - before);
    }
    expect(Math.max(...growth)).toBeLessThan(64 * 1024 ** 2);
    expect(await openBlobs()).toHaveLength(1);
    leaving.abort();
    await vi.waitFor(async () => expect(await openBlobs()).toEqual([]));
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
