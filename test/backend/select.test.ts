import { describe, expect, it } from '@jest/globals';
import { type BackendName, describeBackend, initBackend, tf } from '../../src/backend/index.js';
import type { Logger } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';

describe('initBackend', () => {
  it('refuses a name that it does not know, and lists those that it knows', async () => {
    await expectError(initBackend('webgl' as BackendName), {
      code: 'E_OPTION_VALUE',
      where: 'backend',
      what: 'none called "webgl"',
    });
  });

  it('starts each portable backend by name, and again', async () => {
    for (const name of ['wasm', 'cpu', 'wasm'] as const) {
      expect(await initBackend(name)).toBe(name);
      expect(tf.getBackend()).toBe(name);
      expect(tf.env().get('IS_TEST')).toBe(false);
    }
  });

  it('describes a portable backend, and measures it', async () => {
    await initBackend('wasm');
    const report = await describeBackend();
    expect(report).toMatchObject({ backend: 'wasm', tensorflow: undefined, gpu: false, threads: 1 });
    expect(report.gflops).toBeGreaterThan(0);
  });

  it('says nothing on the console', async () => {
    const lines: unknown[] = [];
    const { warn, log } = console;
    Object.assign(console, { warn: (line: unknown) => lines.push(line), log: (line: unknown) => lines.push(line) });
    const logger: Logger = { info: (line) => lines.push(line), warn: (line) => lines.push(line) };
    await initBackend('cpu', logger).finally(() => Object.assign(console, { warn, log }));
    expect(lines).toEqual([]);
  });
});
