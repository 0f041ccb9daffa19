import { type FileHandle, open } from 'node:fs/promises';
import { CheckpointError, sizeOf } from '../../util/index.js';
import { halfToFloat } from './half.js';
import { damaged, headerLength, parseHeader, type SafetensorsHeader, type StoredTensor } from './safetensors-header.js';

/** Values with their shape, in memory. */
export interface NamedArray {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface SafetensorsFile {
  readonly arrays: ReadonlyMap<string, NamedArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Largest piece that is read at once. */
const PIECE_BYTES = 1 << 28;

/** An open safetensors file, from which tensors are read one by one. */
export class SafetensorsReader {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  private readonly file: FileHandle;
  private readonly bodyStart: number;

  private constructor(path: string, file: FileHandle, bodyStart: number, { tensors, metadata }: SafetensorsHeader) {
    this.path = path;
    this.file = file;
    this.bodyStart = bodyStart;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * Opens a file and checks its header. Close it after use.
   *
   * @throws CheckpointError naming the file when it is missing, truncated or damaged.
   */
  static async open(path: string): Promise<SafetensorsReader> {
    const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
      throw unreadable(path, cause);
    });
    try {
      const { size } = await file.stat();
      const length = headerLength(path, await readBytes(path, file, 0, Math.min(8, size)), size);
      const header = parseHeader(path, await readBytes(path, file, 8, length), size - 8 - length);
      return new SafetensorsReader(path, file, 8 + length, header);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws CheckpointError when there is no such tensor, or its elements are of a type that is not supported. */
  async read(name: string): Promise<NamedArray> {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new CheckpointError({ where: this.path, what: `there is no ${name}` });
    const bytes = await readBytes(this.path, this.file, this.bodyStart + tensor.begin, tensor.end - tensor.begin);
    return decode(bytes, tensor, `${this.path}: ${name}`);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/**
 * Reads a whole safetensors file.
 *
 * @throws CheckpointError naming the file when it is missing, truncated or damaged.
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const reader = await SafetensorsReader.open(path);
  try {
    const arrays = new Map<string, NamedArray>();
    for (const name of reader.tensors.keys()) arrays.set(name, await reader.read(name));
    return { arrays, metadata: reader.metadata };
  } finally {
    await reader.close();
  }
}

async function readBytes(path: string, file: FileHandle, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(PIECE_BYTES, length - done), start + done).catch((cause) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) throw damaged(path, 'the file ended while it was read');
    done += bytesRead;
  }
  return bytes;
}

function unreadable(path: string, cause: NodeJS.ErrnoException): CheckpointError {
  const known: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder, not a safetensors file' };
  const what = known[cause.code ?? ''] ?? `it cannot be read (${cause.code})`;
  return new CheckpointError({ where: path, what, fix: 'Check the path', cause });
}

/** @param bytes - an array of its own, whose buffer is taken over where it can be. */
function decode({ buffer }: Uint8Array<ArrayBuffer>, { dtype, shape }: StoredTensor, where: string): NamedArray {
  switch (dtype) {
    case 'F32':
      return { dtype: 'float32', shape, data: new Float32Array(buffer) };
    case 'F16':
      return { dtype: 'float32', shape, data: Float32Array.from(new Uint16Array(buffer), halfToFloat) };
    case 'BF16': {
      const words = new Uint32Array(sizeOf(shape));
      for (const [i, upper] of new Uint16Array(buffer).entries()) words[i] = upper << 16;
      return { dtype: 'float32', shape, data: new Float32Array(words.buffer) };
    }
    case 'I64':
      return { dtype: 'int32', shape, data: narrow(new BigInt64Array(buffer), where) };
    case 'I32':
      return { dtype: 'int32', shape, data: new Int32Array(buffer) };
    case 'U8':
    case 'BOOL':
      return { dtype: 'int32', shape, data: Int32Array.from(new Uint8Array(buffer)) };
    default:
      throw new CheckpointError({
        where,
        what: `element type ${dtype} is not supported`,
        fix: 'Write it as F32, F16, BF16, I64, I32, U8 or BOOL',
      });
  }
}

function narrow(values: BigInt64Array, where: string): Int32Array {
  const out = Int32Array.from(values, Number);
  const lost = values.findIndex((value, i) => BigInt(out[i] as number) !== value);
  if (lost < 0) return out;
  throw new CheckpointError({ where, what: `${values[lost]} does not fit into 32 bits`, fix: 'Write smaller whole numbers' });
}
