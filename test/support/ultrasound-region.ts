/** A region as a scanner writes it, in DICOM's JSON model. */
export interface RegionParts {
  /** Left, top, right, bottom; last column and row inclusive. */
  readonly box: readonly [number, number, number, number];
  /** 1: two-dimensional, 2: M-mode, 3: spectrum. Default: 1. */
  readonly format?: number;
  readonly dataType?: number;
  /** Default: centimetres, 3. */
  readonly units?: readonly [number, number];
  /** Physical size of a pixel, in the units. */
  readonly delta: readonly [number, number];
  readonly flags?: number;
  /** Row of the reference pixel, from the top of the region, and the value there. */
  readonly reference?: readonly [row: number, value: number];
}

const element = (vr: string, ...Value: unknown[]) => ({ vr, Value });

/** SequenceOfUltrasoundRegions with these items, for `more` of `dicom()`. */
export function regionsOf(...regions: readonly RegionParts[]) {
  const items = regions.map(({ box, format = 1, dataType = 1, units = [3, 3], delta, flags = 0, reference }) => ({
    '00186012': element('US', format),
    '00186014': element('US', dataType),
    '00186016': element('UL', flags),
    '00186018': element('UL', box[0]),
    '0018601A': element('UL', box[1]),
    '0018601C': element('UL', box[2]),
    '0018601E': element('UL', box[3]),
    ...(reference && {
      '00186020': element('SL', 0),
      '00186022': element('SL', reference[0]),
      '00186028': element('FD', 0),
      '0018602A': element('FD', reference[1]),
    }),
    '00186024': element('US', units[0]),
    '00186026': element('US', units[1]),
    '0018602C': element('FD', delta[0]),
    '0018602E': element('FD', delta[1]),
  }));
  return { '00186011': element('SQ', ...items) };
}

/** PixelSpacing, rows before columns as DICOM has it. */
export function pixelSpacing(down: number | string, across: number | string) {
  return { '00280030': element('DS', String(down), String(across)) };
}

/** An item of functional groups that holds PixelMeasuresSequence. */
export function pixelMeasures(down: number, across: number) {
  return { '00289110': element('SQ', pixelSpacing(down, across)) };
}
