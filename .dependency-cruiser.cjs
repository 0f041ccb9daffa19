/**
 * The rooms of src/ and what each may import: arrows point down only. A room is entered through its index.
 * `npm run check` enforces this.
 */
const MODELS = ['nn', 'ops', 'backend', 'util'];

const ROOMS = {
  util: [],
  config: ['util'],
  metrics: ['util'],
  backend: ['util'],
  ops: ['backend', 'util'],
  nn: ['ops', 'backend', 'util'],
  losses: ['ops', 'backend', 'util'],
  processing: ['ops', 'backend', 'util'],
  models: MODELS,
  lora: ['nn', 'backend', 'util'],
  io: ['nn', 'backend', 'util'],
  data: ['processing', 'config', 'util'],
  infer: ['models', 'lora', 'io', 'nn', 'processing', 'ops', 'backend', 'config', 'metrics', 'util'],
  // Judging answers is one act for training's validation and for evaluation.
  protocols: ['data', 'processing', 'metrics', 'util'],
  // Loading pretrained parts is one act for inference and training: train may use infer, never the reverse.
  train: [
    'protocols',
    'infer',
    'models',
    'lora',
    'io',
    'data',
    'processing',
    'losses',
    'nn',
    'ops',
    'backend',
    'config',
    'metrics',
    'util',
  ],
  // What is exported is loaded, and checked after export, by the same loaders as everywhere: never the reverse.
  export: ['infer', 'models', 'lora', 'io', 'nn', 'processing', 'backend', 'util'],
  serve: [
    'infer',
    'train',
    'export',
    'models',
    'lora',
    'io',
    'data',
    'processing',
    'losses',
    'nn',
    'ops',
    'backend',
    'config',
    'metrics',
    'util',
  ],
  eval: [
    'protocols',
    'infer',
    'train',
    'export',
    'models',
    'lora',
    'io',
    'data',
    'processing',
    'losses',
    'nn',
    'ops',
    'backend',
    'config',
    'metrics',
    'util',
  ],
};

/** Modules that run in browsers alone. */
const IN_BROWSERS = '[/.]browser\\.ts$';

const others = (room, allowed) =>
  Object.keys(ROOMS)
    .concat('cli')
    .filter((name) => name !== room && !allowed.includes(name))
    .join('|');

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(ROOMS).map(([room, allowed]) => ({
      name: `${room}-points-down`,
      comment: `src/${room} may import ${allowed.join(', ') || 'no other room'}`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${others(room, allowed)})/` },
    })),
    {
      name: 'enter-by-the-index',
      comment: 'a room, and a model, is entered through its index.ts',
      severity: 'error',
      from: { path: '^src/(models/[^/]+|io/formats|[^/]+)/', pathNot: '^src/serve/page/' },
      to: { path: '^src/', pathNot: ['^src/$1/', '/index\\.ts$', IN_BROWSERS] },
    },
    {
      name: 'for-browsers-alone',
      comment: 'what stands in for modules of Node, and the entry of a room that only browsers take: for the static page',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/serve/static/', IN_BROWSERS] },
      to: { path: IN_BROWSERS },
    },
    {
      name: 'the-page-runs-in-a-browser',
      comment: 'beside its own modules it may load only those that import nothing; the server hands them out',
      severity: 'error',
      from: { path: '^src/serve/page/' },
      to: { pathNot: '^src/(serve/page/|processing/(rle|palette)\\.ts$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-backend-names-tensorflow',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/backend/' },
      to: { path: '@tensorflow/' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'no-tests-in-src', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|tools|scripts)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.d.ts'],
      conditionNames: ['import', 'types', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
