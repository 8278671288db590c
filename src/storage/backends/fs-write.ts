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

async function drain(body: Readable, handle: FileHandle, hash: Hash, options: PutOptions): Promise<number> {
  let size = 0;
  let writing: Promise<unknown> = Promise.resolve();
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > options.maxBytes) throw new BlobTooLarge(options.maxBytes);
      hash.update(chunk);
      await writing;
      writing = writeAll(handle, chunk);
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

async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  let offset = 0;
  while (offset < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, offset);
    offset += bytesWritten;
  }
}
