import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { isMissing } from './fs-place.ts';

/** What is at a path, a link as itself; null for nothing. */
export async function statPath(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
}

/** The file at a path; null for nothing, and for what is no file. */
export async function statFile(path: string): Promise<Stats | null> {
  const stats = await statPath(path);
  return stats?.isFile() ? stats : null;
}
