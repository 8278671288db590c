import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { createDirectorySync, type DirectorySync } from './fs-directory.ts';
import { createFsGrowing } from './fs-growing.ts';
import { createFolderGuard, type RequireFolder } from './fs-links.ts';
import { createFsParts } from './fs-parts.ts';
import { isMissing, type Place, putIntoPlace } from './fs-place.ts';
import { FileBody } from './fs-read.ts';
import { statFile } from './fs-stat.ts';
import { writeFileFrom } from './fs-write.ts';
import {
  type BlobContent,
  type BlobFacts,
  type ByteRange,
  isSafeId,
  type ObjectStore,
  type PutOptions,
  requireSafeId,
  type StoredBlob,
  type UnfinishedStore,
} from './object-store.ts';

/*
 *   <root>/blobs/<first two characters of the version>/<version>
 *   <root>/incoming/<version>-<uuid>         a blob that is being written
 *   <root>/parts/<upload>/<part>             see fs-parts.ts
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
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW;

/** Opens a store in a folder, which is made when it is missing. */
export async function openFsStore(options: FsStoreOptions): Promise<ObjectStore> {
  const directories = createDirectorySync(options.isDurable ?? true);
  const [incoming, blobs, parts, growing] = ['incoming', 'blobs', 'parts', 'growing'].map((name) =>
    join(options.root, name),
  ) as [string, string, string, string];
  await mkdir(dirname(options.root), { recursive: true, mode: 0o700 });
  const requireFolder = createFolderGuard(options.root);
  await directories.make(options.root);
  for (const folder of [incoming, blobs, parts, growing]) {
    await directories.make(folder);
    await requireFolder(folder);
  }
  const unfinished = createUnfinished(incoming);
  await sweep(unfinished);
  const place = createPlace(incoming, blobs, requireFolder);
  return {
    kind: 'fs',
    put: (version, body, put) => putBlob(place, directories, version, body, put),
    get: (version, range) => getBlob(place, version, range),
    head: (version) => headBlob(place, version),
    copy: (from, to) => copyBlob(place, directories, from, to),
    remove: (versions) => removeBlobs(place, versions),
    list: () => listBlobs(blobs, requireFolder),
    parts: createFsParts({ root: parts, directories, place }),
    growing: createFsGrowing({ root: growing, directories, place, requireFolder }),
    unfinished,
    close: () => directories.close(),
  };
}

const createPlace = (incoming: string, blobs: string, requireFolder: RequireFolder): Place => {
  const folder = (version: string): string => join(blobs, version.slice(0, 2));
  return {
    async incoming(version) {
      await requireFolder(incoming);
      return join(incoming, `${version}-${randomUUID()}`);
    },
    folder,
    async blob(version) {
      await requireFolder(folder(version));
      return join(folder(version), version);
    },
  };
};

const leftOverMs = 24 * 3_600_000;

/** Removes what writes have left that a crash cut off; other processes may be writing, so that only old files go. */
async function sweep(unfinished: UnfinishedStore): Promise<void> {
  const oldest = Date.now() - leftOverMs;
  for await (const { id, modifiedAt } of unfinished.list()) {
    if (modifiedAt.getTime() < oldest) await unfinished.discard(id);
  }
}

const createUnfinished = (incoming: string): UnfinishedStore => ({
  async *list() {
    for (const id of (await readdir(incoming)).filter(isSafeId).sort()) {
      const stats = await statFile(join(incoming, id));
      if (stats !== null) yield { id, modifiedAt: stats.mtime };
    }
  },
  discard: (id) => rm(join(incoming, requireSafeId(id)), { force: true }),
});

async function putBlob(
  place: Place,
  directories: DirectorySync,
  version: string,
  body: Readable,
  options: PutOptions,
): Promise<StoredBlob> {
  const temporary = await place.incoming(requireSafeId(version));
  const { handle, size, md5 } = await writeFileFrom(temporary, body, options);
  await putIntoPlace(place, directories, { temporary, handle, version });
  return { size, md5, modifiedAt: new Date() };
}

async function getBlob(place: Place, version: string, range?: ByteRange): Promise<BlobContent | null> {
  if (!isSafeId(version)) return null;
  const path = await place.blob(version);
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
    if (length > wholeBytes) return { body: new FileBody(handle, start, length), size };
    const buffer = Buffer.allocUnsafe(Math.max(length, 0));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    await handle.close();
    return { body: buffer.subarray(0, bytesRead), size };
  } catch (thrown) {
    await handle.close().catch(() => {});
    throw thrown;
  }
}

async function headBlob(place: Place, version: string): Promise<BlobFacts | null> {
  if (!isSafeId(version)) return null;
  const stats = await statFile(await place.blob(version));
  return stats === null ? null : { version, size: stats.size, modifiedAt: stats.mtime };
}

/** Blobs are immutable, so two versions may share the bytes on disk. */
async function copyBlob(
  place: Place,
  directories: DirectorySync,
  from: string,
  to: string,
): Promise<boolean> {
  requireSafeId(to);
  if (!isSafeId(from)) return false;
  const [source, destination] = [await place.blob(from), await place.blob(to)];
  if ((await statFile(source)) === null) return false;
  await directories.make(place.folder(to));
  try {
    await link(source, destination);
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    // File systems without hard links, or with too many to one file.
    return copyBytes(place, directories, source, to);
  }
  await directories.flush(place.folder(to));
  return true;
}

async function copyBytes(
  place: Place,
  directories: DirectorySync,
  source: string,
  version: string,
): Promise<boolean> {
  const temporary = await place.incoming(version);
  try {
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
  } catch (thrown) {
    await rm(temporary, { force: true });
    if (isMissing(thrown)) return false;
    throw thrown;
  }
  const handle = await open(temporary, 'r+');
  await putIntoPlace(place, directories, { temporary, handle, version });
  return true;
}

async function removeBlobs(place: Place, versions: readonly string[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const version of versions) {
    if (!isSafeId(version)) continue;
    try {
      await unlink(await place.blob(version));
    } catch (thrown) {
      if (!isMissing(thrown)) failed.push(version);
    }
  }
  return failed;
}

async function* listBlobs(blobs: string, requireFolder: RequireFolder): AsyncIterable<BlobFacts> {
  const shards = (await readdir(blobs)).sort();
  for (const shard of shards) {
    await requireFolder(join(blobs, shard));
    const versions = (await readdir(join(blobs, shard))).filter(isSafeId).sort();
    for (const version of versions) {
      const stats = await statFile(join(blobs, shard, version));
      if (stats !== null) yield { version, size: stats.size, modifiedAt: laterOf(stats.mtime, stats.ctime) };
    }
  }
}

/** A copy shares the bytes, and their time, with what it was made of; only its own name is new. */
const laterOf = (left: Date, right: Date): Date => (left > right ? left : right);
