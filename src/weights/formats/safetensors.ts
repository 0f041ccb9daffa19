import type { FileHandle } from 'node:fs/promises';
import { CheckpointError, shownName } from '../../util/index.js';
import { decodeElements, type NamedArray } from './elements.js';
import { openRegular, readBytes } from './file-bytes.js';
import { headerLength, parseHeader, type SafetensorsHeader, type StoredTensor } from './safetensors-header.js';

export interface SafetensorsFile {
  readonly arrays: ReadonlyMap<string, NamedArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Files up to this size are read at once: a read for each of hundreds of small tensors takes longer than their bytes. */
const WHOLE_BYTES = 1 << 26;

/** An open safetensors file; tensors are decoded one by one, and of a large file also read one by one. */
export class SafetensorsReader {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  private readonly file: FileHandle;
  private readonly bodyStart: number;
  private readonly bodyBytes: number;
  /** All tensors of a small file. */
  private body: Promise<Uint8Array<ArrayBuffer>> | undefined;

  private constructor(
    path: string,
    file: FileHandle,
    [bodyStart, bodyBytes]: readonly [number, number],
    { tensors, metadata }: SafetensorsHeader,
  ) {
    this.path = path;
    this.file = file;
    this.bodyStart = bodyStart;
    this.bodyBytes = bodyBytes;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * Opens a file and validates its header. Close it after use.
   *
   * @throws CheckpointError naming the file when it is missing, truncated or damaged.
   */
  static async open(path: string): Promise<SafetensorsReader> {
    const file = await openRegular(path);
    try {
      const { size } = await file.stat();
      const length = headerLength(path, await readBytes(path, file, 0, Math.min(8, size)), size);
      const bodyBytes = size - 8 - length;
      const header = parseHeader(path, await readBytes(path, file, 8, length), bodyBytes);
      return new SafetensorsReader(path, file, [8 + length, bodyBytes], header);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws CheckpointError when there is no such tensor, or its element type is not supported. */
  async read(name: string): Promise<NamedArray> {
    const tensor = this.tensors.get(name);
    if (tensor === undefined)
      throw new CheckpointError({ code: 'E_WEIGHTS_MISMATCH', where: this.path, what: `there is no ${shownName(name)}` });
    const bytes = await this.bytesOf(tensor);
    return decodeElements(bytes, tensor, `${this.path}: ${shownName(name)}`);
  }

  private async bytesOf({ begin, end }: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
    if (this.bodyBytes > WHOLE_BYTES) return readBytes(this.path, this.file, this.bodyStart + begin, end - begin);
    this.body ??= readBytes(this.path, this.file, this.bodyStart, this.bodyBytes);
    return (await this.body).slice(begin, end);
  }

  fileOf(): string {
    return this.path;
  }

  async close(): Promise<void> {
    this.body = undefined;
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
