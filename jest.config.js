/** Tests run the TypeScript sources as native ES modules; types are checked apart, by `npm run check`. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  maxWorkers: 2,
  // Nothing asserts on time, and a loaded machine is slow without bounds: only what hangs comes to this limit. Tests have none of
  // their own.
  testTimeout: 15 * 60_000,
};
