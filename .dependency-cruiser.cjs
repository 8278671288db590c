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
    name: 'no-dev-dependency-in-src',
    severity: 'error',
    from: { path: '^src' },
    to: { dependencyTypes: ['npm-dev'] },
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
