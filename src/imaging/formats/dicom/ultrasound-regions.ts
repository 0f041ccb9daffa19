import type { DataSet } from 'dicom-parser';
import type { ScanRegion } from '../../calibration.js';

/** A region of an ultrasound image as its file states it (DICOM PS3.3, C.8.5.5). */
export interface UltrasoundRegion {
  /** 1: two-dimensional image of tissue or flow, 2: M-mode, 3: spectrum, 4: waveform, 5: graphics. */
  readonly spatialFormat: number;
  /** 1: tissue; 2 and more: flow and others. */
  readonly dataType: number;
  /** Whether its pixels take precedence over those of a region that overlaps it: bit 0 of the flags. */
  readonly prior: boolean;
  /** Pixels: left, top, right, bottom; last column and row inclusive. */
  readonly box: readonly [number, number, number, number];
  /** Pixel size, horizontal and vertical, in {@link UltrasoundRegion.units}. */
  readonly physicalDelta: readonly [number, number];
  /** 3: centimetres, 4: seconds, 5: hertz, … */
  readonly units: readonly [number, number];
  /** Row of the reference pixel, counted from the top of the region, and the physical value there. */
  readonly referenceY?: { readonly row: number; readonly value: number };
}

const CENTIMETRES = 3;
const MM_PER_CM = 10;

/** Regions beyond this number are not read: scanners write a handful. */
const MAX_REGIONS = 100;

/** The regions of SequenceOfUltrasoundRegions (0018,6011). Incomplete ones are left out. */
export function ultrasoundRegions(set: DataSet): UltrasoundRegion[] {
  return (set.elements['x00186011']?.items ?? []).slice(0, MAX_REGIONS).flatMap(({ dataSet }) => {
    const region = dataSet && regionOf(dataSet);
    return region === undefined ? [] : [region];
  });
}

function regionOf(set: DataSet): UltrasoundRegion | undefined {
  const box = ['x00186018', 'x0018601a', 'x0018601c', 'x0018601e'].map((tag) => set.uint32(tag));
  const delta = ['x0018602c', 'x0018602e'].map((tag) => set.double(tag));
  const units = ['x00186024', 'x00186026'].map((tag) => set.uint16(tag));
  if ([...box, ...delta, ...units].some((value) => value === undefined)) return undefined;
  const [row, value] = [set.int32('x00186022'), set.double('x0018602a')];
  return {
    spatialFormat: set.uint16('x00186012') ?? 0,
    dataType: set.uint16('x00186014') ?? 0,
    prior: ((set.uint32('x00186016') ?? 0) & 1) === 1,
    box: box as [number, number, number, number],
    physicalDelta: delta as [number, number],
    units: units as [number, number],
    ...(row === undefined || value === undefined || !Number.isFinite(value) ? {} : { referenceY: { row, value } }),
  };
}

const FORMATS: Readonly<Record<number, string>> = { 1: '2D', 2: 'M-mode', 3: 'spectrum', 4: 'waveform', 5: 'graphics' };

const UNITS: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'percent',
  2: 'decibels',
  4: 'seconds',
  5: 'hertz',
  6: 'decibels per second',
  7: 'cm/s',
  8: 'cm²',
  9: 'cm²/s',
  10: 'cm³',
  11: 'cm³/s',
  12: 'degrees',
};

/** A stated bound may be one pixel beyond the image: some scanners write the first column outside instead of the last inside. */
const BEYOND = 1;

/** Converts a region to pixel edges and millimetres; one that measures no lengths, or contradicts its image, has the reason. */
export function scanRegion(region: UltrasoundRegion, index: number, image: { width: number; height: number }): ScanRegion {
  const { spatialFormat, box, physicalDelta, referenceY, prior } = region;
  const [x0, y0, x1, y1] = box;
  const [across, down] = physicalDelta.map((delta) => delta * MM_PER_CM) as [number, number];
  const reason = uselessBecause(region, image);
  // The stated value holds at the centre of the reference pixel, whose place counts from the region's own corner.
  const surfaceYPx =
    reason === undefined && referenceY !== undefined
      ? y0 + referenceY.row + 0.5 - (referenceY.value * MM_PER_CM) / down
      : Math.min(y0, image.height);
  return {
    name: `region ${index + 1}${spatialFormat === 1 ? '' : ` (${FORMATS[spatialFormat] ?? 'no image'})`}`,
    boxXyxyPx: [x0, y0, Math.min(image.width, x1 + 1), Math.min(image.height, y1 + 1)],
    ...(reason === undefined ? { spacingMm: [across, down] } : { reason }),
    surfaceYPx,
    surfaceStated: reason === undefined && referenceY !== undefined,
    prior,
  };
}

function uselessBecause(region: UltrasoundRegion, image: { width: number; height: number }): string | undefined {
  const { spatialFormat, box, physicalDelta, units } = region;
  const [x0, y0, x1, y1] = box;
  if (units.some((unit) => unit !== CENTIMETRES)) {
    const [across, down] = units.map((unit) => UNITS[unit] ?? (unit === CENTIMETRES ? 'centimetres' : `unit ${unit}`));
    return `its axes are in ${across} and ${down}, not in centimetres`;
  }
  if (spatialFormat !== 1) return `it is no two-dimensional image but ${FORMATS[spatialFormat] ?? `format ${spatialFormat}`}`;
  if (x1 < x0 || y1 < y0) return `its bounds are reversed: ${box.join(', ')}`;
  if (x1 >= image.width + BEYOND || y1 >= image.height + BEYOND)
    return `it reaches to ${x1}, ${y1} in an image of ${image.width}x${image.height} pixels: the image was resized after the scan, so its scale no longer holds`;
  if (!physicalDelta.every((delta) => Number.isFinite(delta) && delta > 0))
    return `its pixels measure ${physicalDelta.join(' x ')} cm, which is no size`;
  return undefined;
}
