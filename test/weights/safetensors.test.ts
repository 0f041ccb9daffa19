import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CheckpointError } from '../../src/util/index.js';
import { readSafetensors, SafetensorsReader, writeSafetensors } from '../../src/weights/formats/index.js';
import { openWeights } from '../../src/weights/index.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('safetensors');

/** A file with any header and any body. */
async function fileOf(header: string | Uint8Array, body: Uint8Array = new Uint8Array(0)): Promise<string> {
  const path = join(dir, 'made.safetensors');
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, body]));
  return path;
}

async function valuesOf(dtype: string, body: Uint8Array, count: number): Promise<number[]> {
  const path = await fileOf(JSON.stringify({ x: { dtype, shape: [count], data_offsets: [0, body.length] } }), body);
  const { arrays } = await readSafetensors(path);
  return [...(arrays.get('x')?.data ?? [])];
}

const u16 = (...words: number[]) => new Uint8Array(Uint16Array.from(words).buffer);

describe('reading safetensors', () => {
  it('gives each tensor memory of its own, though a small file is read at once', async () => {
    const body = new Uint8Array(Float32Array.from([1, 2, 3, 4]).buffer);
    const entry = (begin: number) => ({ dtype: 'F32', shape: [2], data_offsets: [begin, begin + 8] });
    const reader = await SafetensorsReader.open(await fileOf(JSON.stringify({ a: entry(0), b: entry(8) }), body));
    try {
      const [b, a] = [await reader.read('b'), await reader.read('a')];
      a.data.fill(9);
      expect([...b.data]).toEqual([3, 4]);
      expect([...(await reader.read('a')).data]).toEqual([1, 2]);
      expect(b.data.buffer.byteLength).toBe(8);
    } finally {
      await reader.close();
    }
  });

  it('finds a tensor behind more bytes than are read at once', async () => {
    const far = 2 ** 26 + 8;
    const entry = (dtype: string, count: number, begin: number, end: number) => ({
      dtype,
      shape: [count],
      data_offsets: [begin, end],
    });
    const path = await fileOf(JSON.stringify({ large: entry('U8', far, 0, far), last: entry('I16', 2, far, far + 4) }));
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    await file.write(Uint8Array.from([7, 0, 255, 255]), 0, 4, size + far);
    await file.close();
    const reader = await SafetensorsReader.open(path);
    expect([...(await reader.read('last')).data]).toEqual([7, -1]);
    await reader.close();
  });

  it('decodes every element type', async () => {
    expect(await valuesOf('F32', new Uint8Array(Float32Array.from([1.5, -2]).buffer), 2)).toEqual([1.5, -2]);
    // Bit patterns from IEEE 754 binary16: 1, -2, the largest, the smallest normal, the smallest subnormal, infinity.
    const halves = u16(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x7c00);
    expect(await valuesOf('F16', halves, 6)).toEqual([1, -2, 65504, 2 ** -14, 2 ** -24, Number.POSITIVE_INFINITY]);
    expect(await valuesOf('BF16', u16(0x3f80, 0xc020, 0x0080), 3)).toEqual([1, -2.5, 2 ** -126]);
    expect(await valuesOf('I64', new Uint8Array(BigInt64Array.from([3n, -4n]).buffer), 2)).toEqual([3, -4]);
    expect(await valuesOf('I32', new Uint8Array(Int32Array.from([3, -4]).buffer), 2)).toEqual([3, -4]);
    expect(await valuesOf('U8', Uint8Array.from([0, 255]), 2)).toEqual([0, 255]);
    expect(await valuesOf('BOOL', Uint8Array.from([0, 1]), 2)).toEqual([0, 1]);
  });

  it('refuses integers that do not fit', async () => {
    const body = new Uint8Array(BigInt64Array.from([2n ** 31n]).buffer);
    await expectError(valuesOf('I64', body, 1), {
      code: 'E_NUMBER_RANGE',
      where: 'x',
      what: '2147483648 does not fit into 32 bits',
    });
  });

  it.each([0x80, 0x280, 0x580])('is not misled by a header of %i bytes, whose length begins like a pickle', async (length) => {
    const header = JSON.stringify({ x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }).padEnd(length);
    const weights = await openWeights(await fileOf(header, new Uint8Array(Float32Array.of(2.5).buffer)));
    expect(await weights.read('x')).toEqual({ dtype: 'float32', shape: [1], data: Float32Array.of(2.5) });
    await weights.close();
  });

  it('reads the tensors of an open file in any order', async () => {
    const body = new Uint8Array(Float32Array.from([1, 2, 3]).buffer);
    const header = {
      b: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
      a: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] },
      __metadata__: { format: 'pt' },
    };
    const reader = await SafetensorsReader.open(await fileOf(JSON.stringify(header), body));
    expect(reader.metadata).toEqual({ format: 'pt' });
    expect(await reader.read('b')).toEqual({ dtype: 'float32', shape: [1], data: Float32Array.of(3) });
    expect(await reader.read('a')).toEqual({ dtype: 'float32', shape: [2, 1], data: Float32Array.of(1, 2) });
    await expectError(reader.read('c'), { code: 'E_WEIGHTS_MISMATCH', what: 'there is no c' });
    await reader.close();
  });

  const entry = (begin: number, end: number, shape = [1]) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });
  const table: [name: string, header: string | Uint8Array, bodyBytes: number, message: string][] = [
    ['a truncated body', JSON.stringify({ x: entry(0, 4) }), 3, 'x ends after the file does'],
    ['unclaimed bytes', JSON.stringify({ x: entry(0, 4) }), 5, '1 unclaimed bytes at the end'],
    ['a gap', JSON.stringify({ x: entry(0, 4), y: entry(8, 12) }), 12, '4 unclaimed bytes before y'],
    ['an overlap', JSON.stringify({ x: entry(0, 8, [2]), y: entry(4, 8) }), 8, 'y overlaps x'],
    ['aliased bytes', JSON.stringify({ x: entry(0, 4), y: entry(0, 4) }), 4, 'y overlaps x'],
    [
      'a size that contradicts the shape',
      JSON.stringify({ x: entry(0, 4, [3]) }),
      4,
      'x is F32 [3], which takes 12 bytes, but has 4',
    ],
    ['an overflowing size', JSON.stringify({ x: entry(0, 4, [2 ** 40, 2 ** 40]) }), 4, 'more elements than can be counted'],
    ['negative offsets', JSON.stringify({ x: entry(-4, 0) }), 0, 'x has no valid offsets'],
    ['a negative shape', JSON.stringify({ x: entry(0, 4, [-1, -1]) }), 4, 'x has no valid shape'],
    [
      'a repeated key',
      '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      'x is there twice',
    ],
    [
      'a repeated key in escapes',
      `{"x":${JSON.stringify(entry(0, 4))},"\\u0078":${JSON.stringify(entry(0, 4))}}`,
      4,
      'x is there twice',
    ],
    ['broken JSON', '{"x":', 0, 'the header is not JSON'],
    ['a list', '[]', 0, 'the header is not an object'],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 0, 'the header is not UTF-8'],
    ['metadata with values other than strings', '{"__metadata__":{"a":1}}', 0, '__metadata__ is not a table of texts'],
  ];
  it.each(table)('refuses %s', async (_name, header, bodyBytes, message) => {
    const path = await fileOf(header, new Uint8Array(bodyBytes));
    const error = await readSafetensors(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(`${path}: `);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain('copy or download it again');
  });

  it('accepts a key inside a value or a name twice', async () => {
    const path = await fileOf(JSON.stringify({ __metadata__: { x: 'x', y: '{"x":1}' }, x: entry(0, 4) }), new Uint8Array(4));
    expect([...(await readSafetensors(path)).arrays.keys()]).toEqual(['x']);
  });

  it('takes __proto__ for a name like any other', async () => {
    const header = `{"__metadata__":{"__proto__":"text"},"__proto__":${JSON.stringify(entry(0, 4))}}`;
    const { arrays, metadata } = await readSafetensors(await fileOf(header, new Uint8Array(Float32Array.of(7).buffer)));
    expect([...arrays]).toEqual([['__proto__', { dtype: 'float32', shape: [1], data: Float32Array.of(7) }]]);
    expect(Object.entries(metadata)).toEqual([['__proto__', 'text']]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    const own = await fileOf('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}', new Uint8Array(8));
    await expectError(readSafetensors(own), {
      code: 'E_WEIGHTS_DAMAGED',
      what: '__proto__ is F32 [1], which takes 4 bytes, but has 8',
    });
  });

  it('refuses a header longer than the file, an empty file, a folder and a missing file', async () => {
    const path = join(dir, 'made.safetensors');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(2n ** 63n);
    await writeFile(path, length);
    await expectError(readSafetensors(path), { code: 'E_WEIGHTS_DAMAGED', what: 'the header is longer than the file' });
    await writeFile(path, '');
    await expectError(readSafetensors(path), { code: 'E_WEIGHTS_DAMAGED', what: '0 bytes' });
    await expectError(readSafetensors(dir), { code: 'E_FILE_KIND' });
    await expectError(readSafetensors(join(dir, 'none')), { code: 'E_FILE_NOT_FOUND' });
  });

  it('names an element type that it cannot read, when it is read', async () => {
    const path = await fileOf(JSON.stringify({ x: { dtype: 'F8_E5M2', shape: [1], data_offsets: [0, 1] } }), new Uint8Array(1));
    await expectError(readSafetensors(path), { code: 'E_WEIGHTS_FORMAT', what: 'element type F8_E5M2 is not supported' });
  });
});

describe('writing safetensors', () => {
  const arrays = new Map([
    ['10', { dtype: 'float32' as const, shape: [2, 2], data: Float32Array.of(1, -0.1, 3e-6, 65519) }],
    ['b', { dtype: 'int32' as const, shape: [], data: Int32Array.of(-7) }],
    ['a', { dtype: 'float32' as const, shape: [0], data: new Float32Array(0) }],
    ['mask', { dtype: 'uint8' as const, shape: [3], data: Uint8Array.of(1, 0, 255) }],
  ]);

  it('gives back what was written', async () => {
    const path = join(dir, 'new', 'out.safetensors');
    await writeSafetensors(path, arrays, { metadata: { format: 'pt', note: 'ß' } });
    const file = await readSafetensors(path);
    expect(file.metadata).toEqual({ format: 'pt', note: 'ß' });
    expect([...file.arrays.keys()]).toEqual(['10', 'a', 'b', 'mask']);
    for (const [name, { shape, data }] of arrays) {
      expect(file.arrays.get(name)?.shape).toEqual(shape);
      expect([...(file.arrays.get(name)?.data ?? [])]).toEqual([...data]);
    }
  });

  it('rounds to the nearest half, ties to even', async () => {
    const path = join(dir, 'half.safetensors');
    const values = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, 2 ** -25, 3 * 2 ** -25, 65504, -0.1];
    await writeSafetensors(path, new Map([['x', { dtype: 'float32', shape: [7], data: Float32Array.from(values) }]]), {
      half: true,
    });
    const stored = (await readSafetensors(path)).arrays.get('x')?.data ?? [];
    expect([...stored]).toEqual([1, 1 + 2 ** -9, 1 + 2 ** -10, 0, 2 ** -23, 65504, -0.0999755859375]);
  });

  it('refuses what half precision cannot hold, and leaves nothing behind', async () => {
    const path = join(dir, 'empty', 'half.safetensors');
    await expectError(
      writeSafetensors(path, new Map([['x', { dtype: 'float32', shape: [1], data: Float32Array.of(7e4) }]]), { half: true }),
      { code: 'E_NUMBER_RANGE', where: 'x', what: '70000 is too large for half precision' },
    );
    expect(await readdir(join(dir, 'empty'))).toEqual([]);
  });

  it('stores the named arrays with eight bits, the others as told', async () => {
    const path = join(dir, 'eight.safetensors');
    const values = Float32Array.of(0.3, -0.0625, 447, 2 ** -9);
    const array = { dtype: 'float32', shape: [4], data: values } as const;
    await writeSafetensors(path, new Map([['text.x', array], ['y', array]]), { half: true, float8: (name) => name.startsWith('text.') }); // biome-ignore format: one line
    const { arrays: stored } = await readSafetensors(path);
    expect([...(stored.get('text.x')?.data ?? [])]).toEqual([0.3125, -0.0625, 448, 2 ** -9]);
    expect([...(stored.get('y')?.data ?? [])]).toEqual([0.300048828125, -0.0625, 447, 2 ** -9]);
    const header = (await readFile(path)).toString('latin1');
    expect(header).toMatch(/"text\.x":\{"dtype":"F8_E4M3","shape":\[4\],"data_offsets":\[8,12\]/);
    const large = new Map([['x', { ...array, data: Float32Array.of(1, 449, 1, 1) }]]);
    await expectError(writeSafetensors(path, large, { float8: () => true }), {
      code: 'E_NUMBER_RANGE',
      what: '449 is too large for eight bits',
    });
  });

  it('pads the header so that the tensors are aligned', async () => {
    const path = join(dir, 'aligned.safetensors');
    await writeSafetensors(path, arrays);
    expect((await readFile(path)).readBigUInt64LE() % 8n).toBe(0n);
  });

  it('refuses data that do not fill their shape', async () => {
    const path = join(dir, 'short.safetensors');
    await expect(
      writeSafetensors(path, new Map([['x', { dtype: 'float32', shape: [2], data: Float32Array.of(1) }]])),
    ).rejects.toThrow('x: shape [2] does not have 1 elements');
  });
});
