import { describe, expect, it, jest } from '@jest/globals';
import { backendOrder } from '../../src/backend/order.js';
import type { AdapterReport } from '../../src/backend/webgpu/index.js';
import type { Logger } from '../../src/util/index.js';

const real = { software: false };
const software = { software: true };

describe('what auto tries first', () => {
  it.each([
    ['inference', 'a CUDA device and a real adapter', true, [real], 'tensorflow'],
    ['inference', 'a CUDA device alone', true, [], 'tensorflow'],
    ['inference', 'a real adapter', false, [real], 'webgpu'],
    ['inference', 'a real adapter before a software one', false, [real, software], 'webgpu'],
    ['inference', 'a software adapter before a real one, which would be taken', false, [software, real], 'tensorflow'],
    ['inference', 'a software adapter', false, [software], 'tensorflow'],
    ['inference', 'nothing', false, [], 'tensorflow'],
    ['training', 'a CUDA device and a real adapter', true, [real], 'tensorflow'],
    ['training', 'a real adapter', false, [real], 'tensorflow'],
    ['training', 'nothing', false, [], 'tensorflow'],
  ] as const)('%s, with %s', (purpose, _name, cuda, adapters, first) => {
    const order = backendOrder({ purpose, cuda, adapters });
    expect(order[0]).toBe(first);
    // What is not taken first is no loss: the others follow, and what was refused does not.
    expect(order.filter((name) => name !== 'webgpu')).toEqual(['tensorflow', 'wasm', 'cpu']);
    expect(order.includes('webgpu')).toBe(first === 'webgpu');
  });
});

/** What WebGPU is made to show. */
const shown: { adapters: Partial<AdapterReport>[]; device: boolean; fails: boolean } = {
  adapters: [],
  device: true,
  fails: true,
};
let asked = 0;

jest.unstable_mockModule('../../src/backend/webgpu/index.js', () => ({
  adapterInUse: () => undefined,
  isDeviceLost: () => false,
  hasGraphicsDevice: () => shown.device,
  listAdapters: async () => {
    asked += 1;
    if (shown.fails) throw new Error('Dawn has no binary');
    return shown.adapters;
  },
  registerWebgpu: async () => {
    throw new Error('no driver answered\nat some place of Dawn');
  },
}));
const { backendFacts, initBackend } = await import('../../src/backend/index.js');
await initBackend('auto', undefined, 'training');
const cuda = backendFacts().gpu;

(cuda ? describe.skip : describe)('initBackend("auto") (skipped where TensorFlow has a CUDA device)', () => {
  async function started(purpose: 'inference' | 'training') {
    const lines: string[] = [];
    const logger: Logger = { info: (line) => lines.push(line), warn: (line) => lines.push(line) };
    asked = 0;
    return { backend: await initBackend('auto', logger, purpose), lines, asked };
  }

  it('says in a line why WebGPU did not start, and takes the next one', async () => {
    Object.assign(shown, { adapters: [real], device: true, fails: false });
    const { backend, lines } = await started('inference');
    expect(['tensorflow', 'wasm', 'cpu']).toContain(backend);
    expect(lines[0]).toBe('backend webgpu: no driver answered; trying the next one');
  });

  it('does not ask for adapters to train, nor where the system shows no graphics device', async () => {
    Object.assign(shown, { adapters: [real], device: true, fails: false });
    expect((await started('training')).asked).toBe(0);
    shown.device = false;
    expect((await started('inference')).asked).toBe(0);
  });

  it('takes it for no adapter when they cannot be listed', async () => {
    Object.assign(shown, { device: true, fails: true });
    const { lines, asked: times } = await started('inference');
    expect(times).toBe(1);
    expect(lines.some((line) => line.includes('webgpu'))).toBe(false);
  });
});
