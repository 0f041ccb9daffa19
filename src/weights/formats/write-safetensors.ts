import { CheckpointError, sizeOf, writeFileAtomic } from '../../util/index.js';
import { floatToFloat8, LARGEST_FLOAT8 } from './float8.js';
import { floatToHalf, LARGEST_HALF } from './half.js';

/** An array to be written. */
export type WritableArray =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
  | { readonly dtype: 'int32'; readonly shape: readonly number[]; readonly data: Int32Array | Float32Array }
  | { readonly dtype: 'uint8'; readonly shape: readonly number[]; readonly data: Uint8Array };

export interface WriteOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Write float arrays in half precision (F16). Default: false. */
  readonly half?: boolean;
  /** Names of float arrays to write with eight bits (F8_E4M3): relative errors up to 6 %, half the size of F16. Default: none. */
  readonly float8?: (name: string) => boolean;
}

/** Wide types first, so that every tensor is aligned; as in the reference. */
const ORDER = ['F32', 'I32', 'F16', 'F8_E4M3', 'U8'] as const;

type StoredDtype = (typeof ORDER)[number];

const BYTES: Readonly<Record<StoredDtype, number>> = { F32: 4, I32: 4, F16: 2, F8_E4M3: 1, U8: 1 };

/**
 * Writes a safetensors file atomically, with the same bytes as the reference's writer: wide element types first, then by name.
 *
 * @throws CheckpointError when a value is too large for its precision.
 * @throws SonogroundError naming the file when it cannot be written; the old file is then intact.
 */
export async function writeSafetensors(
  path: string,
  arrays: ReadonlyMap<string, WritableArray>,
  { metadata, half = false, float8 = () => false }: WriteOptions = {},
): Promise<void> {
  const stored = [...arrays].map(([name, array]) => ({
    name,
    array,
    dtype: storedDtype(array, float8(name) ? 'F8_E4M3' : half ? 'F16' : 'F32'),
  }));
  stored.sort(
    (a, b) => ORDER.indexOf(a.dtype) - ORDER.indexOf(b.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const entries: [string, unknown][] = metadata === undefined ? [] : [['__metadata__', metadata]];
  let offset = 0;
  for (const { name, array, dtype } of stored) {
    const elements = sizeOf(array.shape);
    if (elements !== array.data.length)
      throw new RangeError(`${name}: shape [${array.shape.join(', ')}] does not have ${array.data.length} elements`);
    const end = offset + elements * BYTES[dtype];
    entries.push([name, { dtype, shape: array.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  // Not through an object, which would put integer-like names first.
  const json = Buffer.from(`{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`);
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  await writeFileAtomic(path, async (file) => {
    await file.writeFile(header);
    for (const { name, array, dtype } of stored) await file.writeFile(encode(array, dtype, `${path}: ${name}`));
  });
}

function storedDtype({ dtype }: WritableArray, float: StoredDtype): StoredDtype {
  if (dtype === 'float32') return float;
  return dtype === 'int32' ? 'I32' : 'U8';
}

function encode({ data }: WritableArray, dtype: StoredDtype, where: string): Uint8Array {
  if (dtype === 'F32') return bytesOf(data instanceof Float32Array ? data : Float32Array.from(data));
  if (dtype === 'I32') return bytesOf(data instanceof Int32Array ? data : Int32Array.from(data));
  if (dtype === 'U8') return bytesOf(data);
  const [largest, name] = dtype === 'F16' ? [LARGEST_HALF, 'half precision'] : [LARGEST_FLOAT8, 'eight bits'];
  const overflow = data.find((value) => Number.isFinite(value) && Math.abs(value) > largest);
  if (overflow !== undefined)
    throw new CheckpointError({
      code: 'E_NUMBER_RANGE',
      where,
      what: `${overflow} is too large for ${name}`,
      fix: 'Save in full precision',
    });
  return bytesOf(dtype === 'F16' ? Uint16Array.from(data, floatToHalf) : Uint8Array.from(data, floatToFloat8));
}

function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
