import { readFile } from 'node:fs/promises';
import { CheckpointError, sizeOf, writeFileAtomic } from '../../util/index.js';

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

/** An array to be written. */
export interface WritableArray {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

export interface WriteOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Write float arrays in half precision (F16). Default: false. */
  readonly half?: boolean;
}

/** Writes a safetensors file, atomically, with the arrays in the order of the map. */
export async function writeSafetensors(
  path: string,
  arrays: ReadonlyMap<string, WritableArray>,
  { metadata, half = false }: WriteOptions = {},
): Promise<void> {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  let offset = 0;
  const encoded = new Map<string, Uint8Array>();
  for (const [name, { dtype, shape, data }] of arrays) {
    const bytes = half && dtype === 'float32' ? bytesOf(Uint16Array.from(data, floatToHalf)) : bytesOf(data);
    header[name] = {
      dtype: dtype === 'int32' ? 'I32' : half ? 'F16' : 'F32',
      shape,
      data_offsets: [offset, offset + bytes.length],
    };
    offset += bytes.length;
    encoded.set(name, bytes);
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  await writeFileAtomic(path, async (file) => {
    await file.writeFile(length);
    await file.writeFile(padded);
    for (const bytes of encoded.values()) await file.writeFile(bytes);
  });
}

function bytesOf(data: Float32Array | Int32Array | Uint8Array | Uint16Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

const scratch = new DataView(new ArrayBuffer(4));

/** Nearest half-precision number, ties to even. */
function floatToHalf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00 | (Number.isNaN(value) ? 0x200 : 0);
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    return sign | roundShift(fraction | 0x800000, 14 - exponent);
  }
  return sign | ((exponent << 10) + roundShift(fraction, 13));
}

/** value / 2^shift rounded to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const whole = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole;
}
