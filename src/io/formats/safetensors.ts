import { readFile } from 'node:fs/promises';
import { CheckpointError, sizeOf } from '../../util/index.js';

/** Element types that are read. Half precisions become float32, 64-bit whole numbers int32. */
export type StoredDtype = 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U8' | 'BOOL';

export interface NamedArray {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface SafetensorsFile {
  readonly arrays: ReadonlyMap<string, NamedArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Reads a whole safetensors file. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const bytes = await readFile(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (8 + headerLength > bytes.length)
    throw new CheckpointError({
      where: path,
      what: 'the header is longer than the file',
      fix: 'The file is truncated: copy or download it again',
    });
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<string, Entry>;
  const arrays = new Map<string, NamedArray>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = entry as unknown as Record<string, string>;
      continue;
    }
    const [start, end] = entry.data_offsets;
    if (8 + headerLength + end > bytes.length)
      throw new CheckpointError({
        where: path,
        what: `${name} ends after the file does`,
        fix: 'The file is truncated: copy or download it again',
      });
    arrays.set(name, decode(bytes.subarray(8 + headerLength + start, 8 + headerLength + end), entry, `${path}: ${name}`));
  }
  return { arrays, metadata };
}

function decode(bytes: Buffer, { dtype, shape }: Entry, where: string): NamedArray {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const n = sizeOf(shape);
  switch (dtype) {
    case 'F32':
      return { dtype: 'float32', shape, data: new Float32Array(copy) };
    case 'F16':
      return { dtype: 'float32', shape, data: Float32Array.from(new Uint16Array(copy), halfToFloat) };
    case 'BF16': {
      const words = new Uint32Array(n);
      for (const [i, half] of new Uint16Array(copy).entries()) words[i] = half << 16;
      return { dtype: 'float32', shape, data: new Float32Array(words.buffer) };
    }
    case 'I64':
      return { dtype: 'int32', shape, data: Int32Array.from(new BigInt64Array(copy), Number) };
    case 'I32':
      return { dtype: 'int32', shape, data: new Int32Array(copy) };
    case 'U8':
    case 'BOOL':
      return { dtype: 'int32', shape, data: Int32Array.from(new Uint8Array(copy)) };
    default:
      throw new CheckpointError({ where, what: `element type ${dtype} is not supported` });
  }
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
