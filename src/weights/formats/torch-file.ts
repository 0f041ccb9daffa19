import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { CheckpointError, shownName, sizeOf } from '../../util/index.js';
import { decodeElements, elementBytesOf, type NamedArray } from './elements.js';
import { damaged, openRegular, readBytes } from './file-bytes.js';
import { unpickle } from './pickle.js';
import { stateDictOf, type TorchTensor, torchGlobal, torchStorage } from './torch-objects.js';
import { ZipBytes } from './zip-bytes.js';

/** Maximum size of a pickle: names and shapes of many thousand tensors take a few megabytes. */
const MAX_PICKLE_BYTES = 1 << 26;

/** Maximum number of files in the zip; each storage is one. */
const MAX_ENTRIES = 200_000;

/** A stored tensor, and the position of its storage in the file. */
interface Place {
  readonly tensor: TorchTensor;
  readonly start: number;
  readonly crc32: number;
}

/**
 * An open `.pth`, `.pt` or `.bin` file in the format of `torch.save` since PyTorch 1.6: a zip with one pickle and one
 * uncompressed file per storage. Nothing in it is executed. Tensors are read one by one.
 */
export class TorchReader {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  private readonly file: FileHandle;
  private readonly places: ReadonlyMap<string, Place>;

  private constructor(path: string, file: FileHandle, places: ReadonlyMap<string, Place>) {
    this.path = path;
    this.file = file;
    this.places = places;
    this.tensors = new Map([...places].map(([name, { tensor }]) => [name, tensor]));
  }

  /**
   * Opens a file and reads its table of contents. Close it after use.
   *
   * @throws CheckpointError naming the file, and what in it is damaged, missing or not allowed.
   */
  static async open(path: string): Promise<TorchReader> {
    const file = await openRegular(path);
    let zip: ZipFile | undefined;
    try {
      zip = await openZip(path, file);
      return new TorchReader(path, file, await readPlaces(path, file, zip));
    } catch (error) {
      await file.close();
      throw error;
    } finally {
      zip?.close();
    }
  }

  /** @throws CheckpointError when there is no such tensor, or its checksum is wrong. */
  async read(name: string): Promise<NamedArray> {
    const place = this.places.get(name);
    if (place === undefined)
      throw new CheckpointError({ code: 'E_WEIGHTS_MISMATCH', where: this.path, what: `there is no ${shownName(name)}` });
    const { shape, stride, offset, storage } = place.tensor;
    const size = elementBytesOf(storage.dtype) as number;
    const [first, last] = [offset, offset + reach(shape, stride)];
    const bytes = await readBytes(this.path, this.file, place.start + first * size, (last - first) * size);
    const whole = first === 0 && last === storage.elements;
    if (whole && crc32(bytes) !== place.crc32) throw damaged(this.path, `the checksum of ${shownName(name)} is wrong`);
    const dense = isDense(shape, stride) ? bytes : gather(bytes, shape, stride, size);
    return decodeElements(dense, { dtype: storage.dtype, shape }, `${this.path}: ${shownName(name)}`);
  }

  fileOf(): string {
    return this.path;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function openZip(path: string, file: FileHandle): Promise<ZipFile> {
  const { size } = await file.stat();
  const start = Buffer.from(await readBytes(path, file, 0, Math.min(4, size))).toString('latin1');
  if (start.startsWith('\x80'))
    throw new CheckpointError({
      code: 'E_WEIGHTS_FORMAT',
      where: path,
      what: 'it was written in the form that PyTorch had before version 1.6',
      fix: 'Load it in Python and save it again with torch.save',
    });
  if (!start.startsWith('PK')) throw damaged(path, 'it is not a file that torch.save wrote');
  try {
    return await fromRandomAccessReaderPromise(new ZipBytes(file, size), size, { autoClose: false });
  } catch (cause) {
    throw damaged(path, `its zip directory cannot be read (${(cause as Error).message})`, cause);
  }
}

async function readPlaces(path: string, file: FileHandle, zip: ZipFile): Promise<Map<string, Place>> {
  const entries = await listEntries(path, zip);
  const pickle = [...entries.values()].find(({ fileName }) => /^[^/]+\/data\.pkl$/.test(fileName));
  if (pickle === undefined) throw damaged(path, 'there is no data.pkl in it, as torch.save writes one');
  const root = pickle.fileName.slice(0, -'data.pkl'.length);
  const contents = async (entry: Entry) => readBytes(path, file, await startOf(path, zip, entry), entry.uncompressedSize);
  const order = entries.get(`${root}byteorder`);
  if (order !== undefined && order.uncompressedSize > 16) throw damaged(path, 'its byteorder is neither little nor big');
  if (order !== undefined && Buffer.from(await contents(order)).toString('latin1') === 'big')
    throw new CheckpointError({
      code: 'E_WEIGHTS_FORMAT',
      where: path,
      what: 'its numbers are big-endian',
      fix: 'Save it on a little-endian machine',
    });
  if (pickle.uncompressedSize > MAX_PICKLE_BYTES) throw damaged(path, `its data.pkl has ${pickle.uncompressedSize} bytes`);
  const bytes = await contents(pickle);
  if (crc32(bytes) !== pickle.crc32) throw damaged(path, 'the checksum of data.pkl is wrong');
  const where = `${path}: data.pkl`;
  const value = unpickle(bytes, { where, global: torchGlobal(where), persistent: torchStorage(where) });
  const starts = new Map<string, number>();
  const places = new Map<string, Place>();
  for (const [name, tensor] of stateDictOf(value, path)) {
    const entry = entries.get(`${root}data/${tensor.storage.key}`);
    checkTensor(path, name, tensor, entry);
    const start = starts.get(tensor.storage.key) ?? (await startOf(path, zip, entry));
    starts.set(tensor.storage.key, start);
    places.set(name, { tensor, start, crc32: entry.crc32 });
  }
  return places;
}

async function listEntries(path: string, zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw damaged(path, `${shownName(entry.fileName)} is there twice`);
      if (entries.size === MAX_ENTRIES) throw damaged(path, `there are more than ${MAX_ENTRIES} files in it`);
      entries.set(entry.fileName, entry);
    }
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw damaged(path, `its zip directory cannot be read (${(cause as Error).message})`, cause);
  }
  return entries;
}

/** Position of an entry's bytes. */
async function startOf(path: string, zip: ZipFile, entry: Entry): Promise<number> {
  if (entry.compressionMethod !== 0 || entry.compressedSize !== entry.uncompressedSize)
    throw damaged(path, `${shownName(entry.fileName)} is compressed, which torch.save never does`);
  try {
    return (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
  } catch (cause) {
    throw damaged(path, `${shownName(entry.fileName)} cannot be found in it (${(cause as Error).message})`, cause);
  }
}

function checkTensor(path: string, key: string, tensor: TorchTensor, entry: Entry | undefined): asserts entry is Entry {
  const { storage, shape, stride, offset } = tensor;
  const name = shownName(key);
  if (entry === undefined) throw damaged(path, `the values of ${name} are missing`);
  if (entry.uncompressedSize !== storage.elements * (elementBytesOf(storage.dtype) as number))
    throw damaged(
      path,
      `${name} should have ${storage.elements} ${storage.dtype} values, its storage has ${entry.uncompressedSize} bytes`,
    );
  if (offset + reach(shape, stride) > storage.elements) throw damaged(path, `${name} reaches beyond its storage`);
  // A stride of 0 repeats elements: a few bytes could expand to gigabytes.
  if (sizeOf(shape) > storage.elements)
    throw new CheckpointError({
      code: 'E_WEIGHTS_FORMAT',
      where: path,
      what: `${name} has ${sizeOf(shape).toLocaleString('en')} values, of which only ${storage.elements} are stored`,
      fix: 'Save it in Python as .contiguous()',
    });
}

/** Number of elements of a storage from the first to the last of a tensor, inclusive. */
function reach(shape: readonly number[], stride: readonly number[]): number {
  if (sizeOf(shape) === 0) return 0;
  return 1 + shape.reduce((sum, count, axis) => sum + (count - 1) * (stride[axis] as number), 0);
}

function isDense(shape: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const count = shape[axis] as number;
    if (count !== 1 && stride[axis] !== step) return sizeOf(shape) === 0;
    step *= count;
  }
  return true;
}

/** Copies the elements of a strided tensor into dense order. */
function gather(bytes: Uint8Array, shape: readonly number[], stride: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(new ArrayBuffer(sizeOf(shape) * size));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += size) {
    for (let k = 0; k < size; k++) out[to + k] = bytes[from * size + k] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const step = stride[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      from += step;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      from -= step * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}
