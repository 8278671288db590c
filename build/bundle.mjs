// Joins the modules of src/, and of the packages that they use, into few files under dist/. A start reads each file that
// it imports, so that nine hundred small ones would be most of it. What package.json names under `dependencies` stays
// outside and is installed: native code, and what a start does not need. The rest are development dependencies.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const inProject = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Installed for the types of the API alone. */
const typesOnly = ['jose', 'zod'];
/** What packages would use if it were installed. */
const neverInstalled = ['pg-native', 'pg-cloudflare', 'bufferutil', 'utf-8-validate'];
const { dependencies, optionalDependencies } = readJson(inProject('package.json'));
const outside = [
  ...Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !typesOnly.includes(name)),
  ...neverInstalled,
];

const isOutside = (id) =>
  id.startsWith('node:') || outside.some((name) => id === name || id.startsWith(`${name}/`));

/** A part that is loaded when it is needed has the name of its module: `auth-service.js`. */
function nameOf({ facadeModuleId, name }) {
  const path = facadeModuleId == null ? '' : relative(inProject('src'), facadeModuleId);
  return path === '' || path.startsWith('..')
    ? `chunks/${name}.js`
    : `chunks/${path.replaceAll(/[/\\]/g, '-').replace(/\.ts$/, '.js')}`;
}

rmSync(inProject('dist/chunks'), { recursive: true, force: true });
const bundle = await rolldown({
  input: { 'cli/main': inProject('src/cli/main.ts'), index: inProject('src/index.ts') },
  platform: 'node',
  external: isOutside,
  // What looks unused may be there to throw: a call of decodeURIComponent is a check.
  treeshake: false,
});
const { output } = await bundle.write({
  dir: inProject('dist'),
  entryFileNames: '[name].js',
  chunkFileNames: nameOf,
  sourcemap: true,
});
await bundle.close();
writeFileSync(
  inProject('dist/third-party-licenses.txt'),
  licenses(output.flatMap(({ moduleIds }) => moduleIds ?? [])),
);

// npm marks a bin as executable on install; a build run from a clone has to do it itself.
chmodSync(inProject('dist/cli/main.js'), 0o755);

/** The terms of the packages that were joined in, which ask to be told wherever their code is. */
function licenses(modules) {
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  return [...folders]
    .map((folder) => {
      const { name, version, license } = readJson(`${folder}/package.json`);
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const terms =
        file === undefined ? `License: ${license}` : readFileSync(`${folder}/${file}`, 'utf8').trim();
      return `${name} ${version}\n\n${terms}\n`;
    })
    .sort()
    .join(`\n${'-'.repeat(80)}\n\n`);
}
