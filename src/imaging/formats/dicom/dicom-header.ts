import type { DataSet } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import type { Calibration } from '../../calibration.js';
import { dicomCalibrations } from './dicom-calibration.js';
import { type Packing, packingOf } from './transfer-syntax.js';
import { type UltrasoundRegion, ultrasoundRegions } from './ultrasound-regions.js';

export type Photometric =
  | 'MONOCHROME1'
  | 'MONOCHROME2'
  | 'RGB'
  | 'PALETTE COLOR'
  | 'YBR_FULL'
  | 'YBR_FULL_422'
  | 'YBR_ICT'
  | 'YBR_RCT';

const PHOTOMETRICS: readonly string[] = [
  'MONOCHROME1',
  'MONOCHROME2',
  'RGB',
  'PALETTE COLOR',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_ICT',
  'YBR_RCT',
] satisfies Photometric[];

/** The range of stored values displayed from black to white. */
interface Window {
  readonly center: number;
  readonly width: number;
  readonly shape: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
}

/**
 * The allow-list of header fields that are read besides the pixels. It contains nothing that identifies a patient, a person, a
 * place or a time; no other field of the file reaches any output.
 */
export interface DicomHeader {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Time between two frames in seconds, if the file states it. */
  readonly frameSeconds: number | undefined;
  readonly samples: 1 | 3;
  readonly photometric: Photometric;
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  /** Colour planes one after the other instead of interleaved samples. */
  readonly planar: boolean;
  readonly packing: Packing;
  readonly transferSyntax: string;
  readonly slope: number;
  readonly intercept: number;
  readonly window: Window | undefined;
  /** Range of stored values that mark padding. */
  readonly padding: readonly [from: number, to: number] | undefined;
  /** How pixels relate to millimetres: of each frame, or a single one for all. Undefined where the file says nothing of it. */
  readonly calibrations: readonly (Calibration | undefined)[];
  readonly regions: readonly UltrasoundRegion[];
}

/** Frames with more pixels are refused. */
const MAX_PIXELS = 100_000_000;

/** @throws DataError naming the file and the missing, invalid or unsupported field. */
export function parseDicomHeader(set: DataSet, transferSyntax: string, where: string): DicomHeader {
  const number = (tag: string, name: string) => {
    const value = set.uint16(tag);
    if (value === undefined)
      throw new DataError({
        code: 'E_IMAGE_NO_PIXELS',
        where,
        what: `it has no ${name}: it holds no image`,
        fix: 'Choose an image file',
      });
    return value;
  };
  const refuse = (code: DataError['code'], what: string, fix = 'Export it again') => new DataError({ code, where, what, fix });
  if (set.elements['x7fe00010'] === undefined)
    throw refuse('E_IMAGE_NO_PIXELS', 'it has no pixels', 'Choose an image file, not a report or a directory');
  const [height, width] = [number('x00280010', 'Rows'), number('x00280011', 'Columns')];
  const bitsAllocated = number('x00280100', 'BitsAllocated');
  const samples = set.uint16('x00280002') ?? 1;
  const photometric = (set.string('x00280004') ?? '').trim().toUpperCase();
  if (width === 0 || height === 0) throw refuse('E_IMAGE_DAMAGED', `its header says ${width}x${height} pixels`);
  if (width * height > MAX_PIXELS)
    throw refuse(
      'E_IMAGE_TOO_LARGE',
      `it is ${width}x${height} pixels; up to ${MAX_PIXELS / 1e6} million are read`,
      'Check the file, or make it smaller',
    );
  if (bitsAllocated !== 8 && bitsAllocated !== 16)
    throw refuse('E_IMAGE_FORMAT', `it has ${bitsAllocated} bits a sample; 8 and 16 are read`);
  if (samples !== 1 && samples !== 3) throw refuse('E_IMAGE_FORMAT', `it has ${samples} samples a pixel; 1 and 3 are read`);
  if (!PHOTOMETRICS.includes(photometric))
    throw refuse('E_IMAGE_FORMAT', `its photometric interpretation "${photometric}" is not read`);
  if ((samples === 3) !== !/^(MONO|PALETTE)/.test(photometric))
    throw refuse('E_IMAGE_DAMAGED', `it says ${photometric} with ${samples} samples a pixel`);
  if (samples === 3 && bitsAllocated !== 8)
    throw refuse('E_IMAGE_FORMAT', 'it has colours of more than 8 bits, which are not read');
  const bitsStored = set.uint16('x00280101') ?? bitsAllocated;
  const highBit = set.uint16('x00280102') ?? bitsStored - 1;
  if (bitsStored < 1 || bitsStored > bitsAllocated || highBit >= bitsAllocated || highBit + 1 < bitsStored)
    throw refuse('E_IMAGE_DAMAGED', `it says ${bitsStored} bits up to bit ${highBit} of ${bitsAllocated}`);
  const frames = set.intString('x00280008') ?? 1;
  if (!Number.isInteger(frames) || frames < 1) throw refuse('E_IMAGE_DAMAGED', `it says ${frames} frames`);
  const regions = ultrasoundRegions(set);
  const signed = set.uint16('x00280103') === 1;
  return {
    width,
    height,
    frames,
    frameSeconds: frameSecondsOf(set),
    samples,
    photometric: photometric as Photometric,
    bitsAllocated,
    bitsStored,
    highBit,
    signed,
    planar: set.uint16('x00280006') === 1,
    packing: packingOf(transferSyntax, where),
    transferSyntax,
    slope: finite(set.floatString('x00281053')) ?? 1,
    intercept: finite(set.floatString('x00281052')) ?? 0,
    window: windowOf(set),
    padding: paddingOf(set, signed),
    calibrations: dicomCalibrations(set, { width, height, frames, regions }),
    regions,
  };
}

/** From FrameTime, in milliseconds, else CineRate or RecommendedDisplayFrameRate, in frames per second. */
function frameSecondsOf(set: DataSet): number | undefined {
  const [time, rate] = [finite(set.floatString('x00181063')), finite(set.intString('x00180040') ?? set.intString('x00082144'))];
  if (time !== undefined && time > 0) return time / 1000;
  return rate !== undefined && rate > 0 ? 1 / rate : undefined;
}

/** The file's first window, if valid. */
function windowOf(set: DataSet): Window | undefined {
  const [center, width] = [finite(set.floatString('x00281050')), finite(set.floatString('x00281051'))];
  const shape = (set.string('x00281056') ?? 'LINEAR').trim().toUpperCase();
  if (center === undefined || width === undefined || width <= 0) return undefined;
  return { center, width, shape: shape === 'SIGMOID' || shape === 'LINEAR_EXACT' ? shape : 'LINEAR' };
}

/** PixelPaddingValue to PixelPaddingRangeLimit, in either order. */
function paddingOf(set: DataSet, signed: boolean): readonly [number, number] | undefined {
  const number = (tag: string) => (signed ? set.int16(tag) : set.uint16(tag));
  const value = number('x00280120');
  if (value === undefined) return undefined;
  const limit = number('x00280121') ?? value;
  return [Math.min(value, limit), Math.max(value, limit)];
}

function finite(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}
