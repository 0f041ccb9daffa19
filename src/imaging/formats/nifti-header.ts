import type { NIFTI1, NIFTI2 } from 'nifti-reader-js';
import { DataError } from '../../util/index.js';

/** How the values of a volume are stored. */
interface ElementKind {
  readonly bytes: number;
  /** Values per voxel: 3 for RGB, 4 for RGBA. */
  readonly channels: 1 | 3 | 4;
  readonly view: (buffer: ArrayBuffer) => ArrayLike<number> | ArrayLike<bigint>;
}

/** The supported NIfTI data types by code. */
const KINDS: Readonly<Record<number, ElementKind>> = {
  2: { bytes: 1, channels: 1, view: (buffer) => new Uint8Array(buffer) },
  4: { bytes: 2, channels: 1, view: (buffer) => new Int16Array(buffer) },
  8: { bytes: 4, channels: 1, view: (buffer) => new Int32Array(buffer) },
  16: { bytes: 4, channels: 1, view: (buffer) => new Float32Array(buffer) },
  64: { bytes: 8, channels: 1, view: (buffer) => new Float64Array(buffer) },
  128: { bytes: 1, channels: 3, view: (buffer) => new Uint8Array(buffer) },
  256: { bytes: 1, channels: 1, view: (buffer) => new Int8Array(buffer) },
  512: { bytes: 2, channels: 1, view: (buffer) => new Uint16Array(buffer) },
  768: { bytes: 4, channels: 1, view: (buffer) => new Uint32Array(buffer) },
  1024: { bytes: 8, channels: 1, view: (buffer) => new BigInt64Array(buffer) },
  1280: { bytes: 8, channels: 1, view: (buffer) => new BigUint64Array(buffer) },
  2304: { bytes: 1, channels: 4, view: (buffer) => new Uint8Array(buffer) },
};

/** Three rows of four: maps voxel indices to a position. */
export type Affine = readonly (readonly [number, number, number, number])[];

/** The validated header of a volume. */
export interface NiftiHeader {
  /** Number of voxels along the stored axes; the first varies fastest. */
  readonly shape: readonly [number, number, number];
  /** Number of volumes in the file: time points or channels. */
  readonly frames: number;
  /** Whether volumes extend along more dimensions than the fourth. */
  readonly beyondFourth: boolean;
  /** Voxel size along each axis, in millimetres; 0 if the file does not state it. */
  readonly spacingMm: readonly [number, number, number];
  /** Whether the file states the unit of those sizes. */
  readonly lengthUnitStated: boolean;
  /**
   * Direction of each axis: R(ight), L(eft), A(nterior), P(osterior), S(uperior), I(nferior); `???` if the file does not state
   * it.
   */
  readonly orientation: string;
  /** Matrix from voxel indices to millimetres right, anterior, superior; absent if the file does not state it. */
  readonly affine: Affine | undefined;
  readonly kind: ElementKind;
  readonly littleEndian: boolean;
  /** Offset of the first voxel in bytes. */
  readonly offset: number;
  /** A stored value s means `s * slope + intercept`. */
  readonly slope: number;
  readonly intercept: number;
}

/** Header sizes of the two versions. */
export const HEADER_BYTES = { nifti1: 348, nifti2: 540 } as const;

/**
 * Parses the header of a NIfTI-1 or NIfTI-2 file.
 *
 * @param bytes - at least the first 540 bytes, or the whole file if it is shorter.
 * @throws DataError naming the file for other formats, separate header and image files, complex values and impossible sizes.
 */
export async function parseNiftiHeader(bytes: Buffer, where: string): Promise<NiftiHeader> {
  const { readHeader } = await import('nifti-reader-js');
  const size = sizeOfHeader(bytes, where);
  let header: NIFTI1 | NIFTI2;
  try {
    // The header alone: extensions are not needed, and a damaged one must not cause a failure.
    header = readHeader(Uint8Array.from(bytes.subarray(0, size)).buffer);
  } catch (cause) {
    throw new DataError({
      code: 'E_IMAGE_UNREADABLE',
      where,
      what: 'it cannot be read as NIfTI',
      fix: 'Export it again as .nii or .nii.gz',
      cause,
    });
  }
  const kind = KINDS[header.datatypeCode];
  if (kind === undefined)
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what: `its numbers are of kind ${header.datatypeCode}, which is not read`,
      fix: 'Export it with whole or floating-point numbers of up to 64 bits, or as RGB',
    });
  const [rank, ...dims] = header.dims as [number, ...number[]];
  const shape = dims.slice(0, Math.max(0, rank)).concat(1, 1, 1);
  if (rank < 1 || rank > 7 || shape.some((n) => !Number.isInteger(n) || n < 1))
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: `its header says dimensions [${header.dims.join(', ')}]`,
      fix: 'Export it again',
    });
  const bits = kind.bytes * kind.channels * 8;
  // Some writers leave it 0, or give the bits of one colour.
  if (![0, kind.bytes * 8, bits].includes(header.numBitsPerVoxel))
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: `its header says ${header.numBitsPerVoxel} bits a voxel and numbers of kind ${header.datatypeCode}, which have ${bits}`,
      fix: 'Export it again',
    });
  const offset = Math.max(header.vox_offset, size);
  if (!Number.isSafeInteger(offset))
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: `its header says that its voxels begin at byte ${header.vox_offset}`,
      fix: 'Export it again',
    });
  const scaled = Number.isFinite(header.scl_slope) && header.scl_slope !== 0 && kind.channels === 1;
  const affine = affineOf(header, bytes, size);
  return {
    shape: [shape[0] as number, shape[1] as number, shape[2] as number],
    frames: shape.slice(3).reduce((a, b) => a * b, 1),
    beyondFourth: shape.slice(4).some((n) => n > 1),
    spacingMm: [1, 2, 3].map((i) => spacing(header.pixDims[i], header.xyzt_units)) as [number, number, number],
    lengthUnitStated: [1, 2, 3].includes(header.xyzt_units & 7),
    orientation: affine === undefined ? '???' : lettersOf(affine),
    affine,
    kind,
    littleEndian: header.littleEndian,
    offset,
    slope: scaled ? header.scl_slope : 1,
    intercept: scaled && Number.isFinite(header.scl_inter) ? header.scl_inter : 0,
  };
}

function sizeOfHeader(bytes: Buffer, where: string): number {
  const magic = (at: number) => bytes.toString('latin1', at, at + 3);
  if (magic(344) === 'ni1' || magic(4) === 'ni2')
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what: 'it holds the header alone (an .hdr with its numbers in an .img)',
      fix: 'Convert the pair to one .nii file',
    });
  if (magic(344) === 'n+1') return HEADER_BYTES.nifti1;
  if (magic(4) === 'n+2' && bytes.length >= HEADER_BYTES.nifti2) return HEADER_BYTES.nifti2;
  throw new DataError({
    code: 'E_IMAGE_UNREADABLE',
    where,
    what: 'it does not begin as NIfTI-1 or NIfTI-2 does',
    fix: 'Check that it is a complete .nii or .nii.gz file',
  });
}

/** The low three bits of `xyzt_units` are the unit of length: 1 metre, 2 millimetre, 3 micrometre. If absent, millimetres. */
function spacing(pixdim: number | undefined, units: number): number {
  const value = Math.abs(pixdim ?? 0) * millimetres(units);
  return Number.isFinite(value) ? value : 0;
}

function millimetres(units: number): number {
  return { 1: 1000, 3: 0.001 }[units & 7] ?? 1;
}

/** Offset of the sform's rows, and size of its values in bytes. */
const SFORM = { [HEADER_BYTES.nifti1]: { at: 280, bytes: 4 }, [HEADER_BYTES.nifti2]: { at: 400, bytes: 8 } } as const;

/**
 * The matrix from voxels to scanner coordinates, if the file has one: sform before qform, as in the standard and in nibabel. The
 * rows are read here because the library overwrites them with the qform if its code is larger.
 */
function affineOf(header: NIFTI1 | NIFTI2, bytes: Buffer, size: number): Affine | undefined {
  const { at, bytes: width } = SFORM[size as keyof typeof SFORM];
  const number = (k: number) => {
    const from = at + k * width;
    if (width === 8) return header.littleEndian ? bytes.readDoubleLE(from) : bytes.readDoubleBE(from);
    return header.littleEndian ? bytes.readFloatLE(from) : bytes.readFloatBE(from);
  };
  const sform = [0, 1, 2].map((row) => [0, 1, 2, 3].map((k) => number(row * 4 + k)));
  const affine = header.sform_code > 0 ? sform : header.qform_code > 0 ? header.getQformMat().slice(0, 3) : undefined;
  if (affine?.flat().every((value) => Number.isFinite(value)) !== true) return undefined;
  const factor = millimetres(header.xyzt_units);
  return affine.map((row) => row.map((value) => value * factor)) as unknown as Affine;
}

const AXES = [
  ['R', 'L'],
  ['A', 'P'],
  ['S', 'I'],
] as const;

/** For each voxel axis, the direction that it follows most closely; no direction is used twice. */
function lettersOf(affine: readonly (readonly number[])[]): string {
  const letters = ['?', '?', '?'];
  const left = new Set([0, 1, 2]);
  const steps = [0, 1, 2].flatMap((voxel) =>
    [0, 1, 2].map((world) => ({ voxel, world, step: normalised(affine, voxel)[world] as number })),
  );
  for (const { voxel, world, step } of steps.sort((a, b) => Math.abs(b.step) - Math.abs(a.step))) {
    if (letters[voxel] !== '?' || !left.has(world) || step === 0) continue;
    letters[voxel] = (AXES[world] as readonly [string, string])[step > 0 ? 0 : 1];
    left.delete(world);
  }
  return letters.join('');
}

function normalised(affine: readonly (readonly number[])[], voxel: number): number[] {
  const column = [0, 1, 2].map((world) => affine[world]?.[voxel] ?? 0);
  const length = Math.hypot(...column) || 1;
  return column.map((value) => value / length);
}
