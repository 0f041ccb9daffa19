import type { DataSet } from 'dicom-parser';

/** A calibrated region of an ultrasound image (DICOM PS3.3, C.8.5.5). */
export interface UltrasoundRegion {
  /** 1: two-dimensional image of tissue or flow, 2: M-mode, 3: spectrum, 4: waveform, 5: graphics. */
  readonly spatialFormat: number;
  /** 1: tissue; 2 and more: flow and others. */
  readonly dataType: number;
  /** Pixels: left, top, right, bottom; last column and row inclusive. */
  readonly box: readonly [number, number, number, number];
  /** Pixel size, horizontal and vertical, in {@link UltrasoundRegion.units}. */
  readonly physicalDelta: readonly [number, number];
  /** 3: centimetres, 4: seconds, 5: hertz, … */
  readonly units: readonly [number, number];
}

const CENTIMETRES = 3;
const MM_PER_CM = 10;

/** The regions of SequenceOfUltrasoundRegions (0018,6011). Incomplete ones are left out. */
export function ultrasoundRegions(set: DataSet): UltrasoundRegion[] {
  return (set.elements['x00186011']?.items ?? []).flatMap(({ dataSet }) => {
    const region = dataSet && regionOf(dataSet);
    return region === undefined ? [] : [region];
  });
}

function regionOf(set: DataSet): UltrasoundRegion | undefined {
  const box = ['x00186018', 'x0018601a', 'x0018601c', 'x0018601e'].map((tag) => set.uint32(tag));
  const delta = ['x0018602c', 'x0018602e'].map((tag) => set.double(tag));
  const units = ['x00186024', 'x00186026'].map((tag) => set.uint16(tag));
  if ([...box, ...delta, ...units].some((value) => value === undefined)) return undefined;
  return {
    spatialFormat: set.uint16('x00186012') ?? 0,
    dataType: set.uint16('x00186014') ?? 0,
    box: box as [number, number, number, number],
    physicalDelta: delta as [number, number],
    units: units as [number, number],
  };
}

/**
 * Millimetres between columns and between rows: PixelSpacing, otherwise that of the largest two-dimensional region measured in
 * centimetres, otherwise the spacing at the scanned object.
 */
export function spacingOf(set: DataSet, regions: readonly UltrasoundRegion[]): readonly [number, number] | undefined {
  const tissue = regions
    .filter(({ spatialFormat, units }) => spatialFormat === 1 && units.every((unit) => unit === CENTIMETRES))
    .sort((a, b) => area(b) - area(a))[0];
  const measured = tissue?.physicalDelta.map((delta) => Math.abs(delta) * MM_PER_CM) as [number, number] | undefined;
  // DICOM lists rows before columns.
  const pair = (tag: string): [number, number] | undefined => {
    const [down, across] = [set.floatString(tag, 0), set.floatString(tag, 1)];
    return across === undefined || down === undefined ? undefined : [across, down];
  };
  return [pair('x00280030'), measured, pair('x00182010'), pair('x00181164')].find(
    (spacing) => spacing?.every((value) => Number.isFinite(value) && value > 0) === true,
  );
}

function area({ box: [x0, y0, x1, y1] }: UltrasoundRegion): number {
  return Math.abs((x1 - x0) * (y1 - y0));
}
