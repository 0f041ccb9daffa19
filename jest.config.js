const COMPILE = '<rootDir>/test/support/transform.mjs';

/** Packages that loop over pixels, bytes or numbers; see {@link file://./test/support/transform.mjs}. */
const LOOPING = [
  '@tensorflow',
  'dcmjs',
  'dicom-parser',
  'fast-check',
  'geotiff',
  'hyparquet',
  'munkres',
  'nifti-reader-js',
  'random-js',
];

/** Tests run the TypeScript sources as native ES modules; types are checked apart, by `npm run check`. */
export default {
  testEnvironment: 'node',
  // The sources of `#platform/…`, not what was compiled.
  testEnvironmentOptions: { customExportConditions: ['node', 'node-addons', 'sonoground-source'] },
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '\\.ts$': COMPILE, [`/node_modules/(${LOOPING.join('|')})/.*\\.[cm]?js$`]: COMPILE },
  transformIgnorePatterns: [`/node_modules/(?!(${LOOPING.join('|')})/)`],
  setupFilesAfterEnv: ['<rootDir>/test/support/equal-bytes.ts'],
  maxWorkers: 2,
  // Node never frees a context in which an ES module ran (nodejs/node#59118 and #63186; of 30 contexts with one vm.SourceTextModule
  // each, dropped and collected, 30 were still there in 20.20, 22.23 and 24.21, and none with a vm.Script). Whatever a test file
  // imports stays in its worker's heap: 14 MB for the whole library, 8 MB for the backend alone. A worker with so much heap makes
  // place for a new one.
  workerIdleMemoryLimit: '320MB',
  // Nothing asserts on time, and a loaded machine is slow without bounds: only what hangs comes to this limit. Tests have none of
  // their own.
  testTimeout: 15 * 60_000,
};
