import { existsSync } from 'node:fs';

function packageRoot(): URL {
  let folder = new URL('./', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) {
    const parent = new URL('../', folder);
    if (parent.href === folder.href) throw new Error('The package is incomplete: package.json is missing.');
    folder = parent;
  }
  return folder;
}

const root = packageRoot();

/**
 * The URL of a file or folder that the package ships beside its code: `sql/`, `compat/`, `package.json`. The build joins
 * modules, so a path relative to a module would not hold.
 *
 * @param path relative to the package's root; a folder ends in a slash
 */
export const packageFile = (path: string): URL => new URL(path, root);
