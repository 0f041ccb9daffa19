import { CheckpointError, shownName, sizeOf } from '../../util/index.js';
import { float8ToFloat } from './float8.js';
import { halfToFloat } from './half.js';

/** Values with their shape, in memory. */
export interface NamedArray {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Bytes per element of each supported element type. */
const ELEMENT_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1, F8_E4M3: 1 } as const;

/** Supported element types. Other float precisions become float32; integers and booleans int32. */
type StoredDtype = keyof typeof ELEMENT_BYTES;

/** Bytes per element, or undefined for an unsupported type. */
export function elementBytesOf(dtype: string): number | undefined {
  return Object.hasOwn(ELEMENT_BYTES, dtype) ? ELEMENT_BYTES[dtype as StoredDtype] : undefined;
}

/**
 * Decodes dense little-endian bytes into numbers.
 *
 * @param bytes - an array whose buffer is reused where possible.
 * @param where - location for errors.
 * @throws CheckpointError when the element type is unknown, or an integer does not fit into 32 bits.
 */
export function decodeElements(
  { buffer }: Uint8Array<ArrayBuffer>,
  { dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] },
  where: string,
): NamedArray {
  switch (dtype) {
    case 'F64':
      return { dtype: 'float32', shape, data: Float32Array.from(new Float64Array(buffer)) };
    case 'F32':
      return { dtype: 'float32', shape, data: new Float32Array(buffer) };
    case 'F16':
      return { dtype: 'float32', shape, data: halves(new Uint16Array(buffer)) };
    case 'BF16':
      return { dtype: 'float32', shape, data: upperHalves(new Uint16Array(buffer), sizeOf(shape)) };
    case 'F8_E4M3':
      return { dtype: 'float32', shape, data: eighths(new Uint8Array(buffer)) };
    case 'I64':
      return { dtype: 'int32', shape, data: narrow(new BigInt64Array(buffer), where) };
    case 'I32':
      return { dtype: 'int32', shape, data: new Int32Array(buffer) };
    case 'I16':
      return { dtype: 'int32', shape, data: Int32Array.from(new Int16Array(buffer)) };
    case 'I8':
      return { dtype: 'int32', shape, data: Int32Array.from(new Int8Array(buffer)) };
    case 'U8':
    case 'BOOL':
      return { dtype: 'int32', shape, data: Int32Array.from(new Uint8Array(buffer)) };
    default:
      throw new CheckpointError({
        code: 'E_WEIGHTS_FORMAT',
        where,
        what: `element type ${shownName(dtype)} is not supported`,
        fix: `Write it as one of ${Object.keys(ELEMENT_BYTES).join(', ')}`,
      });
  }
}

/** All 65,536 half-precision numbers, computed on first use: a table is ten times as fast as arithmetic. */
let halfTable: Float32Array | undefined;

function halves(bits: Uint16Array): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half));
  const table = halfTable;
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i] as number] as number;
  return out;
}

function eighths(bytes: Uint8Array): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, byte) => float8ToFloat(byte));
  return Float32Array.from(bytes, (byte) => table[byte] as number);
}

function upperHalves(bits: Uint16Array, count: number): Float32Array {
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = (bits[i] as number) << 16;
  return new Float32Array(words.buffer);
}

function narrow(values: BigInt64Array, where: string): Int32Array {
  const out = Int32Array.from(values, Number);
  const lost = values.findIndex((value, i) => BigInt(out[i] as number) !== value);
  if (lost < 0) return out;
  throw new CheckpointError({
    code: 'E_NUMBER_RANGE',
    where,
    what: `${values[lost]} does not fit into 32 bits`,
    fix: 'Write smaller integers',
  });
}
