import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { BlobTooLarge, type PutOptions } from './object-store.ts';

/** Bytes that were written, before they are durable. */
export type Written = { readonly handle: FileHandle; readonly size: number; readonly md5: string };

/**
 * Writes a body to a new file, counting and hashing; the file is still open and not yet durable. On any failure it is
 * closed and removed. The next chunk is hashed while the last one is written: at most two chunks are held.
 */
export async function writeFileFrom(path: string, body: Readable, options: PutOptions): Promise<Written> {
  const handle = await open(path, 'wx', 0o600);
  const hash = createHash('md5');
  try {
    const size = await drain(body, handle, hash, options);
    return { handle, size, md5: hash.digest('hex') };
  } catch (thrown) {
    await handle.close();
    await rm(path, { force: true });
    throw thrown;
  }
}

/** Writes a body behind the first `offset` bytes of an open file; yields how much it was and its MD5. */
export async function appendFrom(
  handle: FileHandle,
  offset: number,
  body: Readable,
  options: PutOptions,
): Promise<{ readonly size: number; readonly md5: string }> {
  const hash = createHash('md5');
  const size = await drain(body, handle, hash, options, offset);
  return { size, md5: hash.digest('hex') };
}

async function drain(
  body: Readable,
  handle: FileHandle,
  hash: Hash,
  options: PutOptions,
  offset = 0,
): Promise<number> {
  let size = 0;
  let writing: Promise<unknown> = Promise.resolve();
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > options.maxBytes) throw new BlobTooLarge(options.maxBytes);
      hash.update(chunk);
      await writing;
      writing = writeAll(handle, chunk, offset + size - chunk.length);
      // A failure is reported by the next await; until then it must not count as unhandled.
      writing.catch(() => {});
    }
    await writing;
  } catch (thrown) {
    await writing.catch(() => {});
    throw thrown;
  }
  return size;
}

async function writeAll(handle: FileHandle, chunk: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}
