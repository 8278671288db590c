// Joins the modules of src/ into few files under dist/. A start reads each file that it imports, so that hundreds of
// small ones would be most of it. What npm installs stays outside.
import { chmodSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const inProject = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** A part that is loaded when it is needed has the name of its module: `auth-service.js`. */
const nameOf = ({ facadeModuleId, name }) =>
  facadeModuleId == null
    ? `chunks/${name}.js`
    : `chunks/${relative(inProject('src'), facadeModuleId).replaceAll(/[/\\]/g, '-').replace(/\.ts$/, '.js')}`;

rmSync(inProject('dist/chunks'), { recursive: true, force: true });
const bundle = await rolldown({
  input: { 'cli/main': inProject('src/cli/main.ts'), index: inProject('src/index.ts') },
  platform: 'node',
  external: /^(node:|@?[a-z])/,
});
await bundle.write({
  dir: inProject('dist'),
  entryFileNames: '[name].js',
  chunkFileNames: nameOf,
  sourcemap: true,
});
await bundle.close();

// npm marks a bin as executable on install; a build run from a clone has to do it itself.
chmodSync(inProject('dist/cli/main.js'), 0o755);
