import { rename } from 'node:fs/promises';
import type { DirectorySync } from './fs-directory.ts';

/** Whether a file operation failed because the file is not there. */
export const isMissing = (thrown: unknown): boolean =>
  typeof thrown === 'object' && thrown !== null && (thrown as { code?: unknown }).code === 'ENOENT';

/** Where a version's files are. */
export type Place = {
  readonly incoming: (version: string) => string;
  readonly folder: (version: string) => string;
  readonly blob: (version: string) => string;
};

/** Renames a finished file to its version; a shard's folder is made on first use. */
export async function moveIntoPlace(
  place: Place,
  directories: DirectorySync,
  temporary: string,
  version: string,
): Promise<void> {
  try {
    await rename(temporary, place.blob(version));
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown;
    await directories.make(place.folder(version));
    await rename(temporary, place.blob(version));
  }
}
