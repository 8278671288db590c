import { constants, type Stats } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createDirectorySync, type DirectorySync } from './fs-directory.ts';
import { createFsGrowing } from './fs-growing.ts';
import { createFsParts } from './fs-parts.ts';
import { isMissing, moveIntoPlace, type Place } from './fs-place.ts';
import { writeFileFrom } from './fs-write.ts';
import {
  type BlobContent,
  type BlobFacts,
  type ByteRange,
  isSafeId,
  type ObjectStore,
  type PutOptions,
  type StoredBlob,
} from './object-store.ts';

/*
 *   <root>/blobs/<first two characters of the version>/<version>
 *   <root>/incoming/<version>                a blob that is being written
 *   <root>/parts/<upload>/<number>           see fs-parts.ts
 *   <root>/growing/<upload>                  see fs-growing.ts
 *
 * A write goes to `incoming`, is renamed to its place, and then file and folder are flushed: renaming first lets one
 * flush of the journal carry both. Nobody reads a version before its row is there, so the order is free.
 */

/** Options of the filesystem store. */
export type FsStoreOptions = {
  readonly root: string;
  /** False skips flushing to disk: for tests, where nothing has to outlive the machine. */
  readonly isDurable?: boolean;
};

/** Blobs up to this size are read whole. */
const wholeBytes = 64 * 1024;
/** What is read from a larger one at a time: fewer trips to the thread pool than with the platform's 64 kB. */
const chunkBytes = 256 * 1024;
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW;

/** Opens a store in a folder, which is made when it is missing. */
export async function openFsStore(options: FsStoreOptions): Promise<ObjectStore> {
  const incoming = join(options.root, 'incoming');
  const blobs = join(options.root, 'blobs');
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await mkdir(blobs, { recursive: true, mode: 0o700 });
  await sweep(incoming);
  const directories = createDirectorySync(options.isDurable ?? true);
  const place: Place = {
    incoming: (version) => join(incoming, version),
    folder: (version) => join(blobs, version.slice(0, 2)),
    blob: (version) => join(blobs, version.slice(0, 2), version),
  };
  return {
    kind: 'fs',
    put: (version, body, put) => putBlob(place, directories, version, body, put),
    get: (version, range) => getBlob(place.blob(version), version, range),
    head: (version) => headBlob(place.blob(version), version),
    copy: (from, to) => copyBlob(place, directories, from, to),
    remove: (versions) => removeBlobs(place, versions),
    list: () => listBlobs(blobs),
    parts: createFsParts({ root: join(options.root, 'parts'), directories, place }),
    growing: createFsGrowing({ root: join(options.root, 'growing'), directories, place }),
    close: () => directories.close(),
  };
}

const leftOverMs = 24 * 3_600_000;

/** Removes what writes have left that a crash cut off; other processes may be writing, so that only old files go. */
async function sweep(incoming: string): Promise<void> {
  const oldest = Date.now() - leftOverMs;
  for (const name of await readdir(incoming)) {
    const stats = await statFile(join(incoming, name));
    if (stats !== null && stats.mtimeMs < oldest) await rm(join(incoming, name), { force: true });
  }
}

async function putBlob(
  place: Place,
  directories: DirectorySync,
  version: string,
  body: Readable,
  options: PutOptions,
): Promise<StoredBlob> {
  requireSafe(version);
  const temporary = place.incoming(version);
  const { handle, size, md5 } = await writeFileFrom(temporary, body, options);
  try {
    await moveIntoPlace(place, directories, temporary, version);
    await directories.flushFile(handle);
    await directories.flush(place.folder(version));
  } catch (thrown) {
    await rm(temporary, { force: true });
    await rm(place.blob(version), { force: true });
    throw thrown;
  } finally {
    await handle.close();
  }
  return { size, md5, modifiedAt: new Date() };
}

/** A version that came from elsewhere (a row that its owner wrote by SQL) must not name a path. */
function requireSafe(version: string): void {
  if (!isSafeId(version)) throw new RangeError('a version must be letters, digits, - and _');
}

async function getBlob(path: string, version: string, range?: ByteRange): Promise<BlobContent | null> {
  if (!isSafeId(version)) return null;
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, readFlags);
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
  try {
    const { size } = await handle.stat();
    const start = range?.start ?? 0;
    const length = (range === undefined ? size : Math.min(range.end + 1, size)) - start;
    if (length > wholeBytes) {
      const body = handle.createReadStream({
        start,
        end: start + length - 1,
        highWaterMark: chunkBytes,
        autoClose: true,
      });
      return { body, size };
    }
    const buffer = Buffer.allocUnsafe(Math.max(length, 0));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    await handle.close();
    return { body: buffer.subarray(0, bytesRead), size };
  } catch (thrown) {
    await handle.close().catch(() => {});
    throw thrown;
  }
}

async function headBlob(path: string, version: string): Promise<BlobFacts | null> {
  if (!isSafeId(version)) return null;
  const stats = await statFile(path);
  return stats === null ? null : { version, size: stats.size, modifiedAt: stats.mtime };
}

async function statFile(path: string): Promise<Stats | null> {
  try {
    const stats = await lstat(path);
    return stats.isFile() ? stats : null;
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
}

/** Blobs are immutable, so two versions may share the bytes on disk. */
async function copyBlob(
  place: Place,
  directories: DirectorySync,
  from: string,
  to: string,
): Promise<boolean> {
  requireSafe(to);
  if (!isSafeId(from) || (await statFile(place.blob(from))) === null) return false;
  await directories.make(place.folder(to));
  try {
    await link(place.blob(from), place.blob(to));
  } catch (thrown) {
    // File systems without hard links, or with too many to one file.
    if (isMissing(thrown)) return false;
    await copyFile(place.blob(from), place.incoming(to), constants.COPYFILE_EXCL);
    const handle = await open(place.incoming(to), 'r+');
    await directories.flushFile(handle);
    await handle.close();
    await rename(place.incoming(to), place.blob(to));
  }
  await directories.flush(place.folder(to));
  return true;
}

async function removeBlobs(place: Place, versions: readonly string[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const version of versions) {
    if (!isSafeId(version)) continue;
    try {
      await unlink(place.blob(version));
    } catch (thrown) {
      if (!isMissing(thrown)) failed.push(version);
    }
  }
  return failed;
}

async function* listBlobs(blobs: string): AsyncIterable<BlobFacts> {
  const shards = (await readdir(blobs)).sort();
  for (const shard of shards) {
    const versions = (await readdir(join(blobs, shard))).filter(isSafeId).sort();
    for (const version of versions) {
      const stats = await statFile(join(blobs, shard, version));
      if (stats !== null) yield { version, size: stats.size, modifiedAt: stats.mtime };
    }
  }
}
