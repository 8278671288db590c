import { lstat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isMissing } from './fs-place.ts';

/** Resolves when a folder of the store may be used: it is no link, nor is one above it within the store. */
export type RequireFolder = (folder: string) => Promise<void>;

/** How long a folder counts as what it was seen to be. */
const seenMs = 1_000;

/**
 * Keeps the store within its own folders: a link put in the place of one, by a backup that was unpacked there, say,
 * would make the service read and write elsewhere. The root itself may be a link, which is its owner's choice. A folder
 * that is missing passes. What was seen holds for a second, so that reads pay nothing for it; meant for the few folders
 * that stay.
 */
export function createFolderGuard(root: string): RequireFolder {
  const seen = new Map<string, number>();
  return async (folder) => {
    const now = performance.now();
    if (now - (seen.get(folder) ?? Number.NEGATIVE_INFINITY) < seenMs) return;
    seen.delete(folder);
    if (await isFolderWithin(root, folder)) seen.set(folder, now);
  };
}

/** Whether a folder is there, below a root. Throws when it, or one between them, is a link or a file. */
export async function isFolderWithin(root: string, folder: string): Promise<boolean> {
  let path = root;
  for (const name of relative(root, folder).split(sep)) {
    path = join(path, name);
    try {
      if (!(await lstat(path)).isDirectory())
        throw new Error(`${path} is no folder of the store, but a link or a file`);
    } catch (thrown) {
      if (isMissing(thrown)) return false;
      throw thrown;
    }
  }
  return true;
}
