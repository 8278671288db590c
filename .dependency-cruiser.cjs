// The layers of src/, top to bottom; a folder may import what stands below it, never above or beside.
// docs/architecture.md draws the same picture.
const layers = [
  ['cli'],
  ['index', 'app'],
  ['rest', 'auth', 'storage', 'realtime', 'admin', 'inbox', 'platform', 'embedded', 'compat', 'typegen'],
  ['http'],
  ['identity', 'catalog', 'cluster', 'observe'],
  ['pg'],
  ['config'],
  ['core'],
];
// Packages that the build joins to src (build/bundle.mjs); what it leaves outside stands under `dependencies`.
const joined = [
  '@fastify/busboy',
  '@noble/(curves|hashes)',
  '@tus/server',
  'commander',
  'fast-xml-parser',
  'find-my-way',
  'lru-cache',
  'mime',
  'pg',
  'pg-logical-replication',
  'picocolors',
  'pino',
  'prom-client',
  'smol-toml',
  'uqr',
  'ws',
  'yaml',
  '@types/(pg|ws)',
];
const path = (name) => `^src/${name}(/|\\.ts$)`;

const forbidden = [
  {
    name: 'no-cycles',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'only-pg-imports-the-driver',
    severity: 'error',
    from: { pathNot: '^src/(pg|realtime/feed)/' },
    to: { path: 'node_modules/(pg|pg-protocol|pg-logical-replication)/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'no-tool-in-src',
    comment: 'a development dependency that src uses is joined to it by the build: name it here',
    severity: 'error',
    from: { path: '^src' },
    to: { dependencyTypes: ['npm-dev'], pathNot: `node_modules/(${joined.join('|')})/` },
  },
];
layers.forEach((folders, depth) => {
  const above = layers.slice(0, depth).flat();
  for (const folder of folders) {
    const beside = folders.filter((other) => other !== folder && depth > 1);
    const banned = [...above, ...beside];
    if (banned.length === 0) continue;
    forbidden.push({
      name: `${folder}-imports-downwards`,
      severity: 'error',
      from: { path: path(folder) },
      to: { path: banned.map(path) },
    });
  }
});

module.exports = {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
