/**
 * The layers of src/, lowest first. A folder imports only from the layers before its own, and enters another folder through its
 * index. The first layers compute without tensors, so that worker threads which read and augment images never load TensorFlow.js.
 * docs/architecture.md draws them; a test compares both. `npm run check` enforces the rules.
 */
const LAYERS = [
  // without tensors
  'util',
  'config',
  'stores',
  'dicomweb',
  'imaging',
  'dicom',
  'deidentify',
  'measure',
  'prompts',
  'evidence',
  'metrics',
  'data',
  'protocols',
  // tensors
  'backend',
  'ops',
  'nn',
  'losses',
  'weights',
  'lora',
  'models',
  'processing',
  'pretrained',
  'infer',
  'methods',
  'train',
  'eval',
  'export',
  // from end to end
  'workflows',
  'serve',
  'web',
  // the entries of the package
  'public',
  'cli',
];

/** Modules that run in browsers alone. */
const IN_BROWSERS = '[/.]browser\\.ts$';

/** What a layer must not import: itself excepted, every layer that does not come before it. */
const above = (layer) => LAYERS.slice(LAYERS.indexOf(layer) + 1).join('|');

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...LAYERS.slice(0, -1).map((layer) => ({
      name: `${layer}-points-down`,
      comment: `src/${layer} lies below ${above(layer).replaceAll('|', ', ')}`,
      severity: 'error',
      from: { path: `^src/${layer}/` },
      to: { path: `^src/(${above(layer)})/` },
    })),
    {
      name: 'models-know-no-adapters',
      comment: 'LoRA replaces layers from outside, and weight files are read into any module',
      severity: 'error',
      from: { path: '^src/models/' },
      to: { path: '^src/(lora|weights)/' },
    },
    {
      name: 'only-layers',
      comment: 'a folder of src/ has its place in the list of layers',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/(${LAYERS.join('|')})/` },
    },
    {
      name: 'enter-by-the-index',
      comment: 'a folder, and a model, is entered through its index.ts',
      severity: 'error',
      from: { path: '^src/(models/[^/]+|[^/]+)/', pathNot: '^src/web/page/' },
      to: { path: '^src/', pathNot: ['^src/$1/', '/index\\.ts$', IN_BROWSERS] },
    },
    {
      name: 'for-browsers-alone',
      comment: 'what stands in for modules of Node, and the entry of a folder that only browsers take: for the static page',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/web/worker/', IN_BROWSERS] },
      to: { path: IN_BROWSERS },
    },
    {
      name: 'the-page-runs-in-a-browser',
      comment: 'beside its own modules it may load only those that import nothing; the server hands them out',
      severity: 'error',
      from: { path: '^src/web/page/' },
      to: {
        pathNot: '^src/(web/page/|imaging/(rle|palette|scale-bar)\\.ts$|util/counted\\.ts$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-backend-names-tensorflow',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/backend/' },
      to: { path: '@tensorflow/' },
    },
    {
      name: 'worker-threads-load-no-tensorflow',
      comment: 'a thread that reads and augments images needs no tensors, and TensorFlow.js takes 20 MB in each',
      severity: 'error',
      from: { path: '^src/(train/sample-worker|data/import/worker)\\.ts$' },
      to: { path: '^src/backend/index\\.ts$', reachable: true },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    { name: 'no-tests-in-src', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|tools|scripts)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.d.ts'],
      conditionNames: ['sonoground-source', 'import', 'types', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
