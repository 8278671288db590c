import { constants } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { DirectorySync } from './fs-directory.ts';
import { isFolderWithin } from './fs-links.ts';
import { type Place, putIntoPlace } from './fs-place.ts';
import { statPath } from './fs-stat.ts';
import { writeFileFrom } from './fs-write.ts';
import {
  type Dated,
  isSafeId,
  type PartStore,
  type PutOptions,
  requireSafeId,
  type StoredBlob,
} from './object-store.ts';

/*
 *   <root>/<upload>/<part>
 */

type FsParts = { readonly root: string; readonly directories: DirectorySync; readonly place: Place };

/** What is read from a part at a time. */
const chunkBytes = 256 * 1024;
const unlimited = { maxBytes: Number.POSITIVE_INFINITY };

/** Parts as files beside each other; completing copies them into one blob. */
export function createFsParts({ root, directories, place }: FsParts): PartStore {
  // Looked at each time: these folders come and go.
  const folderOf = async (upload: string): Promise<string> => {
    const folder = join(root, requireSafeId(upload));
    await isFolderWithin(dirname(root), folder);
    return folder;
  };
  return {
    put: async (upload, part, body, options) =>
      putPart(directories, await folderOf(upload), part, body, options),
    complete: async (upload, parts, version) =>
      complete(directories, place, await folderOf(upload), parts, version),
    // Removes a link rather than what it leads to.
    discard: (upload) => rm(join(root, requireSafeId(upload)), { recursive: true, force: true }),
    list: () => listUploads(root),
  };
}

async function putPart(
  directories: DirectorySync,
  folder: string,
  part: string,
  body: Readable,
  options: PutOptions,
): Promise<StoredBlob> {
  await directories.make(folder);
  const path = join(folder, requireSafeId(part));
  const { handle, size, md5 } = await writeFileFrom(path, body, options);
  try {
    await directories.flushFile(handle);
    await directories.flushOnce(folder);
  } catch (thrown) {
    await rm(path, { force: true });
    throw thrown;
  } finally {
    await handle.close();
  }
  return { size, md5, modifiedAt: new Date() };
}

async function complete(
  directories: DirectorySync,
  place: Place,
  folder: string,
  parts: readonly string[],
  version: string,
): Promise<number> {
  const paths = parts.map((part) => join(folder, requireSafeId(part)));
  const temporary = await place.incoming(version);
  const written = await writeFileFrom(temporary, Readable.from(contents(paths)), unlimited);
  await putIntoPlace(place, directories, { temporary, handle: written.handle, version });
  return written.size;
}

async function* contents(paths: readonly string[]): AsyncGenerator<Buffer> {
  for (const path of paths) {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    yield* handle.createReadStream({ highWaterMark: chunkBytes });
  }
}

/** Parts that arrive change their upload's folder, so that its own time is that of the newest. */
async function* listUploads(root: string): AsyncIterable<Dated> {
  const uploads = await readdir(root);
  for (const id of uploads.filter(isSafeId).sort()) {
    const stats = await statPath(join(root, id));
    if (stats?.isDirectory()) yield { id, modifiedAt: stats.mtime };
  }
}
