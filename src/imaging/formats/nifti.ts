import { DataError } from '../../util/index.js';
import { HEADER_BYTES, type NiftiHeader, parseNiftiHeader } from './nifti-header.js';
import { NiftiVolume } from './nifti-volume.js';
import { bytesOf, fill, isGzip, nameOf } from './volume-bytes.js';

/** Larger volumes are refused, as a volume is held in memory as a whole. Bytes. */
const MAX_VOLUME_BYTES = 4e9;

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

function swap(bytes: Buffer, width: number): void {
  if (width === 2) bytes.swap16();
  if (width === 4) bytes.swap32();
  if (width === 8) bytes.swap64();
}

async function firstBytes(source: string | Buffer): Promise<Buffer> {
  const bytes = Buffer.alloc(HEADER_BYTES.nifti2);
  return bytes.subarray(0, await fill(source, bytes, 0));
}
