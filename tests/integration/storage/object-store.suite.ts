import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobTooLarge, type ObjectStore } from '../../../src/storage/backends/object-store.ts';

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
const streamOf = (...chunks: readonly (Buffer | string)[]): Readable =>
  Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
const any = { maxBytes: Number.MAX_SAFE_INTEGER };

/** What every store of blobs must do. `large` is a size in bytes that the store does not keep in memory. */
export function describeObjectStore(
  name: string,
  open: () => Promise<ObjectStore>,
  options: { readonly large: number } = { large: 300_000 },
): void {
  describe(`a store of blobs on ${name}`, () => {
    let store: ObjectStore;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    const read = async (version: string, range?: { start: number; end: number }): Promise<Buffer | null> => {
      const content = await store.get(version, range);
      if (content === null) return null;
      if (Buffer.isBuffer(content.body)) return content.body;
      const chunks: Buffer[] = [];
      for await (const chunk of content.body as AsyncIterable<Buffer>) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const put = async (bytes: Buffer | string): Promise<string> => {
      const version = randomUUID();
      await store.put(version, streamOf(bytes), any);
      return version;
    };

    it.each([0, 1, 65_536, 65_537, options.large])('gives back the %d bytes that it took', async (size) => {
      const bytes = randomBytes(size);
      const version = randomUUID();
      const half = Math.floor(size / 2);
      const body = size === 0 ? streamOf() : streamOf(bytes.subarray(0, half), bytes.subarray(half));
      const stored = await store.put(version, body, any);
      expect(stored).toMatchObject({ size, md5: md5(bytes) });
      expect((await read(version))?.equals(bytes)).toBe(true);
      expect(await store.head(version)).toMatchObject({ version, size });
      expect((await store.get(version, { start: 0, end: 0 }))?.size ?? size).toBe(size);
    });

    it('gives ranges', async () => {
      const version = await put('0123456789');
      expect(String(await read(version, { start: 1, end: 1 }))).toBe('1');
      expect(String(await read(version, { start: 3, end: 9 }))).toBe('3456789');
    });

    it('says null for what it does not have, or cannot have', async () => {
      for (const version of [randomUUID(), '', '..', '../x', 'a/b', 'a\0b', '.hidden', 'x'.repeat(300)]) {
        expect(await store.get(version)).toBeNull();
        expect(await store.head(version)).toBeNull();
      }
      expect(await store.copy(randomUUID(), randomUUID())).toBe(false);
      await expect(store.put('../x', streamOf('x'), any)).rejects.toThrow(RangeError);
    });

    it('stops at the limit and leaves nothing', async () => {
      const version = randomUUID();
      await expect(store.put(version, streamOf('12345', '67890'), { maxBytes: 9 })).rejects.toBeInstanceOf(
        BlobTooLarge,
      );
      expect(await store.head(version)).toBeNull();
      expect((await store.put(version, streamOf('12345', '6789'), { maxBytes: 9 })).size).toBe(9);
    });

    it('leaves nothing of a body that breaks off', async () => {
      const version = randomUUID();
      const body = Readable.from(
        (async function* () {
          yield Buffer.from('begin');
          throw new Error('broken');
        })(),
      );
      await expect(store.put(version, body, any)).rejects.toThrow('broken');
      expect(await store.head(version)).toBeNull();
    });

    it('has nothing under way that a body which broke off has left, however long it was', async () => {
      const unfinished = async (): Promise<string[]> => {
        const found: string[] = [];
        for await (const { id } of store.unfinished.list()) found.push(id);
        return found;
      };
      const body = Readable.from(
        (async function* () {
          yield Buffer.alloc(options.large);
          yield Buffer.alloc(options.large);
          throw new Error('broken');
        })(),
      );
      await expect(store.put(randomUUID(), body, any)).rejects.toThrow('broken');
      expect(await unfinished()).toEqual([]);
    });

    it('copies, and keeps the copy when the first goes', async () => {
      const [from, to] = [await put('copied'), randomUUID()];
      expect(await store.copy(from, to)).toBe(true);
      expect(await store.remove([from])).toEqual([]);
      expect([await read(from), String(await read(to))]).toEqual([null, 'copied']);
    });

    it('removes once or twice', async () => {
      const version = await put('x');
      expect(await store.remove([version, randomUUID(), '../x'])).toEqual([]);
      expect(await store.remove([version])).toEqual([]);
      expect(await store.head(version)).toBeNull();
    });

    it('lists all blobs in order', async () => {
      const made = [await put('one'), await put('two'), await put('three')];
      const listed: string[] = [];
      for await (const { version } of store.list()) listed.push(version);
      expect(listed).toEqual([...listed].sort());
      expect(made.every((version) => listed.includes(version))).toBe(true);
    });

    it('makes a blob of parts, as often as asked', async () => {
      const [upload, version] = [randomUUID(), randomUUID()];
      const parts = [randomBytes(options.large), randomBytes(100), Buffer.from('end')] as const;
      const [first, second, third, unused] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
      await store.parts.put(upload, third, streamOf(parts[2]), any);
      await store.parts.put(upload, unused, streamOf('replaced'), any);
      const stored = await store.parts.put(upload, first, streamOf(parts[0]), any);
      await store.parts.put(upload, second, streamOf(parts[1]), any);
      expect(stored).toMatchObject({ size: options.large, md5: md5(parts[0]) });
      for (let i = 0; i < 2; i++) {
        expect(await store.parts.complete(upload, [first, second, third], version)).toBe(options.large + 103);
        expect((await read(version))?.equals(Buffer.concat(parts))).toBe(true);
      }
      await store.parts.discard(upload);
      await expect(store.parts.complete(upload, [first], randomUUID())).rejects.toThrow();
      expect((await read(version))?.length).toBe(Buffer.concat(parts).length);
    });

    it('grows a blob piece by piece, forgets what was not acknowledged, and finishes it twice', async () => {
      const [upload, version] = [randomUUID(), randomUUID()];
      const piece = await store.growing.append(upload, 0, streamOf('hello '), any);
      expect(piece).toMatchObject({ size: 6, md5: md5(Buffer.from('hello ')) });
      await store.growing.append(upload, 6, streamOf('lost'), any);
      await expect(
        store.growing.append(upload, 6, streamOf('too much'), { maxBytes: 3 }),
      ).rejects.toBeInstanceOf(BlobTooLarge);
      await store.growing.append(upload, 6, streamOf('world'), any);
      expect(await store.growing.finish(upload, version, 11)).toBe(true);
      expect(await store.growing.finish(upload, version, 11)).toBe(true);
      expect(String(await read(version))).toBe('hello world');
      expect(await store.growing.finish(randomUUID(), randomUUID(), 0)).toBe(false);
    });

    it('makes no blob of an upload that has lost bytes', async () => {
      const [upload, version] = [randomUUID(), randomUUID()];
      await expect(store.growing.append(upload, 3, streamOf('x'), any)).rejects.toThrow(RangeError);
      await store.growing.append(upload, 0, streamOf('abc'), any);
      await expect(store.growing.append(upload, 4, streamOf('x'), any)).rejects.toThrow(RangeError);
      await expect(store.growing.finish(upload, version, 4)).rejects.toThrow(RangeError);
      expect(await store.head(version)).toBeNull();
    });

    it('gives growing blobs up', async () => {
      const upload = randomUUID();
      await store.growing.append(upload, 0, streamOf('x'), any);
      const uploads = async (): Promise<string[]> => {
        const found: string[] = [];
        for await (const entry of store.growing.list()) found.push(entry.id);
        return found;
      };
      expect(await uploads()).toContain(upload);
      await store.growing.discard(upload);
      expect(await uploads()).not.toContain(upload);
    });
  });
}
