import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { DirectorySync } from './fs-directory.ts';
import type { RequireFolder } from './fs-links.ts';
import { isMissing, moveIntoPlace, type Place } from './fs-place.ts';
import { statFile } from './fs-stat.ts';
import { appendFrom } from './fs-write.ts';
import {
  type GrowingStore,
  isSafeId,
  type PutOptions,
  requireSafeId,
  type StoredBlob,
} from './object-store.ts';

type FsGrowing = {
  readonly root: string;
  readonly directories: DirectorySync;
  readonly place: Place;
  readonly requireFolder: RequireFolder;
};

const flags = constants.O_RDWR | constants.O_NOFOLLOW;

/** One file per upload, `<root>/<upload>`, which is renamed to its blob in the end: no byte is copied. */
export function createFsGrowing({ root, directories, place, requireFolder }: FsGrowing): GrowingStore {
  const pathOf = async (upload: string): Promise<string> => {
    await requireFolder(root);
    return join(root, requireSafeId(upload));
  };
  return {
    async append(upload, offset, body, options) {
      const handle = await openAt(await pathOf(upload), offset);
      try {
        const stored = await append(handle, offset, body, options);
        await directories.flushFile(handle);
        if (offset === 0) await directories.flush(root);
        return stored;
      } finally {
        await handle.close();
      }
    },
    async finish(upload, version, size) {
      const path = await pathOf(upload);
      const growing = await statFile(path);
      const found = growing ?? (await statFile(await place.blob(requireSafeId(version))));
      if (found === null) return false;
      if (found.size !== size) throw lostBytes();
      if (growing !== null) {
        await moveIntoPlace(place, directories, path, version);
        await directories.flush(place.folder(version));
      }
      return true;
    },
    discard: async (upload) => rm(await pathOf(upload), { force: true }),
    async *list() {
      for (const id of (await readdir(root)).filter(isSafeId).sort()) {
        const stats = await statFile(join(root, id));
        if (stats !== null) yield { id, modifiedAt: stats.mtime };
      }
    },
  };
}

const lostBytes = () => new RangeError('the upload has lost bytes that were acknowledged');

async function openAt(path: string, offset: number): Promise<FileHandle> {
  try {
    return await open(path, offset === 0 ? flags | constants.O_CREAT : flags, 0o600);
  } catch (thrown) {
    throw isMissing(thrown) ? lostBytes() : thrown;
  }
}

async function append(
  handle: FileHandle,
  offset: number,
  body: Readable,
  options: PutOptions,
): Promise<StoredBlob> {
  const { size: present } = await handle.stat();
  if (present < offset) throw lostBytes();
  await handle.truncate(offset);
  try {
    const { size, md5 } = await appendFrom(handle, offset, body, options);
    return { size, md5, modifiedAt: new Date() };
  } catch (thrown) {
    await handle.truncate(offset);
    throw thrown;
  }
}
