import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { DirectorySync } from './fs-directory.ts';
import { isMissing, moveIntoPlace, type Place } from './fs-place.ts';
import { appendFrom } from './fs-write.ts';
import { type GrowingStore, isSafeId, type PutOptions, type StoredBlob } from './object-store.ts';

type FsGrowing = { readonly root: string; readonly directories: DirectorySync; readonly place: Place };

const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** One file per upload, `<root>/<upload>`, which is renamed to its blob in the end: no byte is copied. */
export function createFsGrowing({ root, directories, place }: FsGrowing): GrowingStore {
  const pathOf = (upload: string): string => {
    if (!isSafeId(upload)) throw new RangeError('an upload id must be letters, digits, - and _');
    return join(root, upload);
  };
  return {
    async append(upload, offset, body, options) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const handle = await open(pathOf(upload), flags, 0o600);
      try {
        const stored = await append(handle, offset, body, options);
        await directories.flushFile(handle);
        if (offset === 0) await directories.flush(root);
        return stored;
      } finally {
        await handle.close();
      }
    },
    async finish(upload, version) {
      try {
        await moveIntoPlace(place, directories, pathOf(upload), version);
      } catch (thrown) {
        if (!isMissing(thrown)) throw thrown;
        return isThere(place.blob(version));
      }
      await directories.flush(place.folder(version));
      return true;
    },
    discard: (upload) => rm(pathOf(upload), { force: true }),
    async *list() {
      const names = await readdir(root).catch(() => []);
      for (const upload of names.filter(isSafeId).sort()) {
        yield { upload, modifiedAt: (await lstat(join(root, upload))).mtime };
      }
    },
  };
}

async function append(
  handle: FileHandle,
  offset: number,
  body: Readable,
  options: PutOptions,
): Promise<StoredBlob> {
  const { size: present } = await handle.stat();
  if (present < offset) throw new RangeError('the upload has lost bytes that were acknowledged');
  await handle.truncate(offset);
  try {
    const { size, md5 } = await appendFrom(handle, offset, body, options);
    return { size, md5, modifiedAt: new Date() };
  } catch (thrown) {
    await handle.truncate(offset);
    throw thrown;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}
