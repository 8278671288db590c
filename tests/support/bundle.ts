import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll } from 'vitest';

/** Dependencies that the build joins in too: they are named as such for the types of the API alone. */
const joined = ['jose', 'zod'];

/**
 * Joins a program and what it imports into one file, as the build does with the product, and yields its path: a process
 * that is started many times must not read and translate hundreds of modules each time. Installed packages, native ones
 * among them, are left out: the program must not need them.
 */
export async function bundleProgram(entry: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ownbase-bundle-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const { dependencies, optionalDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    external: Object.keys({ ...dependencies, ...optionalDependencies }).filter(
      (name) => !joined.includes(name),
    ),
    treeshake: false,
  });
  const { output } = await bundle.write({ dir: folder, entryFileNames: 'program.mjs' });
  await bundle.close();
  return join(folder, output[0].fileName);
}
