import { type FileHandle, rename, rm } from 'node:fs/promises';
import type { DirectorySync } from './fs-directory.ts';

/** Whether a file operation failed because the file is not there. */
export const isMissing = (thrown: unknown): boolean =>
  typeof thrown === 'object' && thrown !== null && (thrown as { code?: unknown }).code === 'ENOENT';

/** Where a version's files are; each path is given once the folders on the way have been seen to be no links. */
export type Place = {
  /** A file for one write of the version: two writes never share it. */
  readonly incoming: (version: string) => Promise<string>;
  readonly folder: (version: string) => string;
  readonly blob: (version: string) => Promise<string>;
};

/** Renames a finished file to its version; a shard's folder is made on first use. */
export async function moveIntoPlace(
  place: Place,
  directories: DirectorySync,
  temporary: string,
  version: string,
): Promise<void> {
  const path = await place.blob(version);
  try {
    await rename(temporary, path);
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown;
    await directories.make(place.folder(version));
    await rename(temporary, path);
  }
}

/** A file that was written and is still open. */
type WrittenFile = { readonly temporary: string; readonly handle: FileHandle; readonly version: string };

/** Makes a written file its version's blob, durably, and closes it; on any failure nothing is left of it. */
export async function putIntoPlace(
  place: Place,
  directories: DirectorySync,
  { temporary, handle, version }: WrittenFile,
): Promise<void> {
  try {
    await moveIntoPlace(place, directories, temporary, version);
    await directories.flushFile(handle);
    await directories.flush(place.folder(version));
  } catch (thrown) {
    await rm(temporary, { force: true });
    await rm(await place.blob(version), { force: true });
    throw thrown;
  } finally {
    await handle.close();
  }
}
