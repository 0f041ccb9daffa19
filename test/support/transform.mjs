/**
 * Compiles sources for jest, and lets each module look up the language's own objects once.
 *
 * Tests run in a context of their own, whose global object has interceptors: there `Math.max` costs a microsecond instead of a
 * nanosecond, and loops over pixels consist of little else. As constants of the module they cost what they do outside of tests.
 */
import { createHash } from 'node:crypto';
import swc from '@swc/jest';

/** Nothing that a test replaces: no clocks, timers, `fetch` or `process`. */
const NAMES = [
  ...['Array', 'ArrayBuffer', 'BigInt', 'BigInt64Array', 'BigUint64Array', 'DataView', 'Error', 'Float32Array', 'Float64Array'],
  ...['Infinity', 'Int16Array', 'Int32Array', 'Int8Array', 'JSON', 'Map', 'Math', 'NaN', 'Number', 'Object', 'RegExp', 'Set'],
  ...['String', 'Symbol', 'Uint16Array', 'Uint32Array', 'Uint8Array', 'Uint8ClampedArray', 'WeakMap'],
];
const LOOKUP = `const { ${NAMES.join(', ')} } = globalThis;`;

const compiler = swc.createTransformer({ jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });

/** Comments, then what makes all of a script strict, which stays its first statement. */
const DIRECTIVE = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/.*)*(['"])use strict\1;?/;

/** Without a new line, so that lines stay where they were. */
function withLookup(code) {
  const directive = DIRECTIVE.exec(code)?.[0] ?? '';
  return `${directive} ${LOOKUP} ${code.slice(directive.length)}`;
}

/** Packages are compiled already. */
const isSource = (file) => file.endsWith('.ts');

export default {
  canInstrument: compiler.canInstrument,
  process(text, file, options) {
    if (!isSource(file)) return { code: withLookup(text) };
    const { code, ...rest } = compiler.process(text, file, options);
    return { code: withLookup(code), ...rest };
  },
  async processAsync(text, file, options) {
    if (!isSource(file)) return { code: withLookup(text) };
    const { code, ...rest } = await compiler.processAsync(text, file, options);
    return { code: withLookup(code), ...rest };
  },
  getCacheKey: (...args) =>
    createHash('sha256')
      .update(LOOKUP)
      .update(compiler.getCacheKey(...args))
      .digest('hex'),
};
