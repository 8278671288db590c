import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Files under `root` that match a pattern of `/`-separated parts with `*`, `?` and `[...]`, sorted, as paths
 * relative to `root`. No pattern crosses a `/`, as in the CLI's globs.
 */
export async function globFiles(root: string, pattern: string): Promise<string[]> {
  let found = [''];
  for (const part of pattern.split('/').filter((piece) => piece !== '' && piece !== '.')) {
    const nested = await Promise.all(found.map((folder) => step(root, folder, part)));
    found = nested.flat();
  }
  const files = await Promise.all(
    found.map(async (path) => ((await isFile(join(root, path))) ? [path] : [])),
  );
  return files.flat().sort();
}

async function step(root: string, folder: string, part: string): Promise<string[]> {
  const child = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
  if (!/[*?[\\]/.test(part)) return [child(part)];
  const pattern = toRegExp(part);
  const names = await readdir(join(root, folder)).catch(() => []); // not a folder: nothing in it matches
  return names.filter((name) => pattern.test(name)).map(child);
}

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() ?? false;

function toRegExp(part: string): RegExp {
  const source = part.replaceAll(/\\?[\s\S]|\[\^?[^\]]*\]/g, (piece) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    return piece.replaceAll(/^\\/g, '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 's');
}
