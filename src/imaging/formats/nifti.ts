import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError, unreadableCode } from '../../util/index.js';
import type { RasterImage } from '../raster-image.js';
import { openImageFile } from './image-file.js';
import { HEADER_BYTES, type NiftiHeader, parseNiftiHeader } from './nifti-header.js';
import type { GridTurn } from './nifti-turn.js';

/** Larger volumes are refused, as a volume is held in memory as a whole. Bytes. */
const MAX_VOLUME_BYTES = 4e9;

/** A slice of a volume. */
export interface VolumeSlice {
  readonly width: number;
  readonly height: number;
  /** 3 if the volume is RGB or RGBA (whose transparency is dropped). */
  readonly channels: 1 | 3;
  /** Row-major, interleaved channels, `slope` and `intercept` applied. */
  readonly values: Float32Array;
  /** Millimetres between columns and between rows; 0 if the file does not state them. */
  readonly spacingMm: readonly [across: number, down: number];
}

/** Selects a slice. */
export interface SliceAddress {
  /** The stored axis perpendicular to the slice. Default: 2, the third. */
  readonly axis?: 0 | 1 | 2;
  /** Index along that axis, from 0. */
  readonly index: number;
  /** Index along the fourth dimension, from 0: a time point or a channel. Default: 0. */
  readonly frame?: number;
  /** Interprets axes and indices relative to another volume, with this orientation. Default: its own. */
  readonly turn?: GridTurn | undefined;
}

/** Minimum and maximum of a volume, and whether all values are integers. */
export interface VolumeRange {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const UPRIGHT: GridTurn = { axes: [0, 1, 2], flipped: [false, false, false] };

/** Stored values, indexed by offset. */
type Numbers = ArrayLike<number> | ArrayLike<bigint>;

/**
 * A volume of ultrasound or of labels. The stored values are held in memory once, as in the file; a slice is converted on demand.
 *
 * Axes are the stored ones: axis 0 varies fastest. In a slice along axis 2, columns run along axis 0 and rows along axis 1
 * (nibabel's `volume[:, :, k].T`); along axis 1, they run along 0 and 2; along axis 0, along 1 and 2. Nothing is reoriented:
 * {@link NiftiHeader.orientation} gives the direction of the axes.
 */
export class NiftiVolume {
  readonly file: string;
  readonly header: NiftiHeader;
  private readonly numbers: Numbers;
  private known: VolumeRange | undefined;

  constructor(file: string, header: NiftiHeader, numbers: Numbers) {
    this.file = file;
    this.header = header;
    this.numbers = numbers;
  }

  /** Number of slices along an axis. */
  slices(axis: 0 | 1 | 2 = 2): number {
    return this.header.shape[axis];
  }

  /** @throws DataError naming the file when there is no such slice. */
  slice({ axis = 2, index, frame = 0, turn = UPRIGHT }: SliceAddress): VolumeSlice {
    const { frames, kind, slope, intercept } = this.header;
    const shape = turn.axes.map((own) => this.header.shape[own]) as [number, number, number];
    const spacingMm = turn.axes.map((own) => this.header.spacingMm[own]) as [number, number, number];
    this.check(`slice ${index} across axis ${axis}`, index, shape[axis]);
    this.check(`frame ${frame}`, frame, frames);
    const [across, down] = ([0, 1, 2] as const).filter((other) => other !== axis) as [0 | 1 | 2, 0 | 1 | 2];
    const [nx, ny, nz] = this.header.shape;
    const own = [1, nx, nx * ny].map((n) => n * kind.channels);
    const strides = turn.axes.map((k, i) => (own[k] as number) * (turn.flipped[i] ? -1 : 1)) as [number, number, number];
    // A reversed axis starts at its end.
    const origin = strides.reduce((sum, stride, i) => sum + (stride < 0 ? -stride * ((shape[i] as number) - 1) : 0), 0);
    const start = frame * nx * ny * nz * kind.channels + origin + index * strides[axis];
    const [width, height] = [shape[across], shape[down]];
    const channels = kind.channels === 1 ? 1 : 3;
    const values = new Float32Array(width * height * channels);
    for (let y = 0, to = 0; y < height; y++) {
      for (let x = 0, at = start + y * strides[down]; x < width; x++, at += strides[across])
        for (let c = 0; c < channels; c++) values[to++] = Number(this.numbers[at + c]) * slope + intercept;
    }
    return { width, height, channels, values, spacingMm: [spacingMm[across], spacingMm[down]] };
  }

  /** The range of all voxels, computed once. Non-finite values are ignored. */
  range(): VolumeRange {
    if (this.known !== undefined) return this.known;
    const { slope, intercept } = this.header;
    let [min, max, whole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
    for (let i = 0; i < this.numbers.length; i++) {
      const value = Number(this.numbers[i]) * slope + intercept;
      if (!Number.isFinite(value)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
      if (whole && !Number.isInteger(value)) whole = false;
    }
    this.known = min > max ? { min: 0, max: 0, whole: true } : { min, max, whole };
    return this.known;
  }

  /**
   * Converts a slice to an image. Integers from 0 to 255 (8-bit images, labels) are unchanged; otherwise values are scaled from
   * the volume's minimum to its maximum, equally for all slices.
   */
  image(address: SliceAddress): RasterImage {
    const { width, height, channels, values } = this.slice(address);
    const { min, max, whole } = this.range();
    const asIs = channels === 3 || (whole && min >= 0 && max <= 255);
    const span = max > min ? max - min : Number.POSITIVE_INFINITY;
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      // A Uint8Array stores NaN as 0.
      const level = asIs ? value : Math.round(((Math.min(max, Math.max(min, value)) - min) * 255) / span);
      if (channels === 3) data[i] = level;
      else data.fill(level, i * 3, i * 3 + 3);
    }
    return { width, height, data };
  }

  private check(what: string, index: number, count: number): void {
    if (Number.isInteger(index) && index >= 0 && index < count) return;
    const fix = count === 1 ? 'There is one, number 0' : `They are numbered 0 to ${count - 1}`;
    throw new DataError({ code: 'E_FRAME_NOT_FOUND', where: this.file, what: `there is no ${what}`, fix });
  }
}

/**
 * Reads a NIfTI volume of either version and byte order, compressed or not. Memory: the volume's own bytes.
 *
 * @param source - a file name, or the bytes of a file.
 * @param maxBytes - limit for the uncompressed voxels. Default: 4 GB.
 * @throws DataError naming the file when it is missing, damaged, truncated, or larger than that.
 */
export async function openNifti(source: string | Buffer, maxBytes: number = MAX_VOLUME_BYTES): Promise<NiftiVolume> {
  const file = nameOf(source);
  const header = await readNiftiHeader(source, maxBytes);
  const { kind, offset, littleEndian } = header;
  const size = voxelBytes(header);
  const voxels = Buffer.from(new ArrayBuffer(size));
  const came = await fill(source, voxels, offset);
  if (came < size)
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where: file,
      what: `it ends after ${came} of the ${size} bytes of its voxels`,
      fix: 'Copy or download it again',
    });
  if (!littleEndian) swap(voxels, kind.bytes);
  return new NiftiVolume(file, header, kind.view(voxels.buffer as ArrayBuffer));
}

/** Maximum expansion of deflate: a run of 258 equal bytes in two bits. */
const DEFLATE_MOST = 1032;

/**
 * Reads only the header and checks it against the file size, so that callers do not rely on data that does not exist.
 *
 * @param maxBytes - limit for the uncompressed voxels. Default: 4 GB.
 * @throws DataError naming the file when it is missing, not NIfTI, larger than that, or shorter than its header states.
 */
export async function readNiftiHeader(source: string | Buffer, maxBytes: number = MAX_VOLUME_BYTES): Promise<NiftiHeader> {
  const header = await parseNiftiHeader(await firstBytes(source), nameOf(source));
  const { shape, frames, offset } = header;
  const size = voxelBytes(header);
  const needed = offset + size;
  if (!(needed <= maxBytes))
    throw new DataError({
      code: 'E_IMAGE_TOO_LARGE',
      where: nameOf(source),
      what: `its header says ${shape.join(' x ')} voxels in ${frames} volume${frames === 1 ? '' : 's'}, ${(size / 1e9).toFixed(1)} GB`,
      fix: `Volumes of up to ${maxBytes / 1e9} GB are read: divide it, or check the file`,
    });
  const held = await bytesOf(source);
  // For a compressed file, an upper bound.
  const most = (await isGzip(source)) ? held * DEFLATE_MOST : held;
  if (needed <= most) return header;
  const volumes = frames === 1 ? '' : ` in ${frames} volumes`;
  throw new DataError({
    code: 'E_IMAGE_DAMAGED',
    where: nameOf(source),
    what: `it ends after ${Math.max(0, most - offset)} of the ${size} bytes of its voxels, which its header says are ${shape.join(' x ')}${volumes}`,
    fix: 'Copy or download it again',
  });
}

/** Size of the uncompressed voxels in bytes. */
function voxelBytes({ shape, frames, kind }: NiftiHeader): number {
  return shape[0] * shape[1] * shape[2] * frames * kind.bytes * kind.channels;
}

async function bytesOf(source: string | Buffer): Promise<number> {
  if (typeof source !== 'string') return source.length;
  const { handle, bytes } = await openImageFile(source, Number.POSITIVE_INFINITY);
  await handle.close();
  return bytes;
}

/** Name of a volume in errors. */
function nameOf(source: string | Buffer): string {
  return typeof source === 'string' ? source : 'image';
}

function swap(bytes: Buffer, width: number): void {
  if (width === 2) bytes.swap16();
  if (width === 4) bytes.swap32();
  if (width === 8) bytes.swap64();
}

async function firstBytes(source: string | Buffer): Promise<Buffer> {
  const bytes = Buffer.alloc(HEADER_BYTES.nifti2);
  return bytes.subarray(0, await fill(source, bytes, 0));
}

/** Fills a buffer from the uncompressed file, starting at `offset`; returns the number of bytes read. */
async function fill(source: string | Buffer, into: Buffer, offset: number): Promise<number> {
  try {
    return (await isGzip(source)) ? await fillFromGzip(source, into, offset) : await fillAsIs(source, into, offset);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const file = nameOf(source);
    const { code } = cause as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') === true)
      throw new DataError({
        code: 'E_IMAGE_DAMAGED',
        where: file,
        what: 'its gzip stream is damaged or cut off',
        fix: 'Copy or download it again',
        cause,
      });
    throw new DataError({
      code: unreadableCode(cause),
      where: file,
      what: `it cannot be read (${code})`,
      fix: 'Check the path',
      cause,
    });
  }
}

async function isGzip(source: string | Buffer): Promise<boolean> {
  const start = Buffer.alloc(2);
  await fillAsIs(source, start, 0);
  return start[0] === 0x1f && start[1] === 0x8b;
}

async function fillAsIs(source: string | Buffer, into: Buffer, offset: number): Promise<number> {
  return typeof source === 'string' ? fillFromFile(source, into, offset) : source.copy(into, 0, Math.min(offset, source.length));
}

async function fillFromFile(file: string, into: Buffer, offset: number): Promise<number> {
  const { handle } = await openImageFile(file, Number.POSITIVE_INFINITY);
  try {
    let done = 0;
    while (done < into.length) {
      // A single read is limited to 2 GB.
      const { bytesRead } = await handle.read(into, done, Math.min(into.length - done, 1 << 30), offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  } finally {
    await handle.close();
  }
}

/** Trailing bytes after the voxels that are still inflated, so that the checksum is verified. */
const MAX_TAIL = 1 << 20;

/**
 * Inflates only the requested bytes and a short tail up to the checksum: a file that inflates to far more than its header states
 * costs nothing.
 */
async function fillFromGzip(packed: string | Buffer, into: Buffer, offset: number): Promise<number> {
  const opened = typeof packed === 'string' ? await openImageFile(packed, Number.POSITIVE_INFINITY) : undefined;
  const source = opened === undefined ? Readable.from([packed]) : opened.handle.createReadStream();
  const unpacked = source.pipe(createGunzip());
  source.on('error', (error: Error) => unpacked.destroy(error));
  const enough = offset + into.length + (offset === 0 ? 0 : MAX_TAIL);
  let seen = 0;
  let done = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const skip = Math.min(Math.max(0, offset - seen), chunk.length);
      seen += chunk.length;
      done += chunk.copy(into, done, skip);
      if (seen >= enough) break;
    }
  } finally {
    source.destroy();
    unpacked.destroy();
  }
  return done;
}
