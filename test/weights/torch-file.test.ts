import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CheckpointError, Rng } from '../../src/util/index.js';
import { readSafetensors, TorchReader, writeSafetensors } from '../../src/weights/formats/index.js';
import { unpickle } from '../../src/weights/formats/pickle.js';
import { torchGlobal, torchStorage } from '../../src/weights/formats/torch-objects.js';
import { openWeights } from '../../src/weights/index.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('torch');

async function readAll(path: string) {
  const reader = await TorchReader.open(path);
  try {
    const names = [...reader.tensors.keys()];
    return new Map(await Promise.all(names.map(async (name) => [name, await reader.read(name)] as const)));
  } finally {
    await reader.close();
  }
}

async function complaint(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  return (error as Error).message;
}

describe('reading what torch.save writes', () => {
  it.each(['table.pth', 'training.pt', 'protocol4.pth'])(
    '%s: every element type, views, parameters and wrappers',
    async (file) => {
      const { arrays } = await readSafetensors(fixturePath('torch-objects', 'case.safetensors'));
      const expected = new Map([...arrays].map(([name, array]) => [name.replace('out.', ''), array]));
      const got = await readAll(fixturePath('torch-objects', file));
      expect([...got.keys()].sort()).toEqual([...expected.keys()].sort());
      expect(expected.size).toBeGreaterThan(0);
      for (const [name, array] of expected) expect(got.get(name)).toEqual(array);
    },
  );

  it('says what to do with the form of before version 1.6', async () => {
    expect(await complaint(openWeights(fixturePath('torch-objects', 'legacy.pth')))).toMatch(
      /legacy\.pth: it was written in the form that PyTorch had before version 1\.6\. Load it in Python and save it again/,
    );
  });

  it('runs nothing, and names what would have been run', async () => {
    const message = await complaint(readAll(fixturePath('torch-objects', 'evil.pth')));
    expect(message).toMatch(/evil\.pth: data\.pkl: it refers to (posix|nt)\.system, which weights do not need/);
    expect(existsSync('/tmp/sonoground-was-here')).toBe(false);
  });

  it('refuses files that hold no weights', async () => {
    await writeFile(join(dir, 'text.pth'), 'hello, I am no weights');
    expect(await complaint(TorchReader.open(join(dir, 'text.pth')))).toMatch('it is not a file that torch.save wrote');
    expect(await complaint(TorchReader.open(join(dir, 'none.pth')))).toMatch('none.pth: there is no such file');
    expect(await complaint(TorchReader.open(dir))).toMatch('it is a folder');
  });
});

/** The bytes of a pickle: numbers are opcodes and operands, texts are themselves. */
function pickle(...parts: readonly (number | string)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...Buffer.from(part, 'latin1')])));
}

function read(...parts: readonly (number | string)[]): unknown {
  return unpickle(pickle(0x80, 2, ...parts), {
    where: 'test.pkl',
    global: torchGlobal('test.pkl'),
    persistent: torchStorage('test.pkl'),
  });
}

describe('the pickle reader', () => {
  it('reads numbers as Python writes them', () => {
    // pickletools.dis(pickle.dumps([255, 65535, -1, 2**31, -2**63, 2**70, 1.5, True, None], 2)), by hand.
    const integers = [']', '(', 'K', 255, 'M', 255, 255, 'J', 255, 255, 255, 255, 0x8a, 5, 0, 0, 0, 128, 0] as const;
    const wide = [0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 128, 0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 64] as const;
    const rest = ['G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x88, 'N', 'e', '.'] as const;
    expect(read(...integers, ...wide, ...rest)).toEqual([255, 65535, -1, 2 ** 31, -(2n ** 63n), 2n ** 70n, 1.5, true, null]);
  });

  it.each<[string, readonly (number | string)[], RegExp]>([
    ['a module function', ['c', 'builtins\neval\n', '(', 'X', 1, 0, 0, 0, '1', 't', 'R', '.'], /refers to builtins\.eval/],
    ['a name of an object', ['c', 'torch\n__proto__\n', '.'], /refers to torch\.__proto__/],
    ['a name assembled from pieces', [0x8c, 5, 'torch', 0x8c, 11, 'constructor', 0x93, '.'], /refers to torch\.constructor/],
    ['a storage class that is called', ['c', 'torch\nFloatStorage\n', ')', 'R', '.'], /torch\.FloatStorage is called/],
    ['a list that is called', [']', ')', 'R', '.'], /called that is no function/],
    ['a dictionary posing as a tensor', ['}', 'X', 1, 0, 0, 0, 'q', 'Q', '.'], /a storage in it is not described/],
    ['an opcode that runs code', ['i', 'os\nsystem\n', '.'], /opcode 0x69 at byte 2 is not one that weights need/],
    ['the extension registry', [0x82, 1, '.'], /opcode 0x82/],
    ['an empty stack', ['.'], /its stack is empty/],
    ['a tuple from an empty stack', [0x87, '.'], /its stack is empty/],
    ['a list without a mark', ['t', '.'], /a list in it has no beginning/],
    ['a missing memo entry', ['h', 7, '.'], /recalls entry 7/],
    ['entries of a list', [']', '(', 'K', 1, 'K', 2, 'u', '.'], /no dictionary/],
    ['an element of a dictionary', ['}', 'K', 1, 'a', '.'], /no list/],
    ['a key without a value', ['}', '(', 'K', 1, 'u', '.'], /no dictionary/],
    ['a string longer than the file', ['X', 255, 255, 255, 255, '.'], /ends in the middle of its pickle/],
    ['a string that is not UTF-8', ['X', 1, 0, 0, 0, 0xff, '.'], /not UTF-8/],
    ['an unterminated name', ['c', 'torch'], /a line in it has no end/],
    ['no end', ['N'], /ends in the middle of its pickle/],
    ['trailing objects', ['N', 'N', '.'], /left over/],
    ['a tensor without storage', ['c', 'torch._utils\n_rebuild_tensor_v2\n', ')', 'R', '.'], /a tensor in it is not described/],
  ])('refuses %s', (_name, parts, message) => {
    // Names are refused for what they would do, all else for what it is.
    const code = message.source.startsWith('refers to') ? 'E_WEIGHTS_UNSAFE' : 'E_WEIGHTS_DAMAGED';
    expectError(() => read(...parts), { code, class: CheckpointError, what: message });
  });

  it('refuses other protocols', () => {
    const options = { where: 'x', global: torchGlobal('x'), persistent: torchStorage('x') };
    expectError(() => unpickle(pickle(0x80, 9, 'N', '.'), options), {
      code: 'E_WEIGHTS_DAMAGED',
      where: 'x',
      what: 'its pickle has protocol 9; 2 to 5 can be read',
    });
  });
});

/** Opening and reading a damaged file ends in an error for people, or in the right values. */
async function survives(bytes: Uint8Array, name: string, expected: ReadonlyMap<string, unknown>): Promise<'read' | 'refused'> {
  const path = join(dir, name);
  await writeFile(path, bytes);
  try {
    const source = await openWeights(path);
    try {
      for (const key of source.tensors.keys()) await source.read(key);
      return source.tensors.size === expected.size ? 'read' : 'refused';
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.message).toContain(name);
    return 'refused';
  }
}

describe.each(['torch', 'safetensors'])('a damaged %s file', (kind) => {
  const name = kind === 'torch' ? 'small.pth' : 'small.safetensors';
  async function original(): Promise<Buffer> {
    if (kind === 'torch') return readFile(fixturePath('torch-objects', name));
    const path = join(dir, 'whole.safetensors');
    await writeSafetensors(path, new Map([['x', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }]]));
    return readFile(path);
  }
  const expected = new Map([['x', 1]]);

  it('is whole before', async () => {
    expect(await survives(await original(), name, expected)).toBe('read');
  });

  it('is refused wherever it was cut off', async () => {
    const bytes = await original();
    const read: number[] = [];
    for (let length = 0; length < bytes.length; length++)
      if ((await survives(bytes.subarray(0, length), name, expected)) === 'read') read.push(length);
    expect(read).toEqual([]);
  });

  it('never does worse than refuse, whatever bit was flipped', async () => {
    const bytes = await original();
    const rng = Rng.seeded(8);
    let refused = 0;
    for (let i = 0; i < 500; i++) {
      const broken = Buffer.from(bytes);
      const at = rng.int(bytes.length);
      broken[at] = (broken[at] as number) ^ (1 << rng.int(8));
      if ((await survives(broken, name, expected)) === 'refused') refused += 1;
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('never does worse than refuse, whatever random bytes follow its first', async () => {
    const bytes = await original();
    const rng = Rng.seeded(9);
    for (let i = 0; i < 200; i++) {
      const noise = Buffer.from(Uint8Array.from({ length: rng.int(400) }, () => rng.int(256)));
      expect(await survives(Buffer.concat([bytes.subarray(0, rng.int(60)), noise]), name, expected)).toBe('refused');
    }
  });
});
