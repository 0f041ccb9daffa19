import { type Diameter, isMeasured, type MaskMeasures, type Unmeasured } from './mask-measures.js';
import type { Point } from './outline.js';
import type { Spread } from './spread.js';

/** Version of {@link MeasuresRecord}: raised when a field changes its meaning or goes. */
export const MEASURES_VERSION = 1;

/** Measures as written to JSON. Lengths in millimetres, areas in square millimetres; ends and centres in pixel edges. */
export interface MeasuresRecord {
  readonly version: typeof MEASURES_VERSION;
  readonly spacing_mm: readonly [across: number, down: number];
  /** What the scale comes from. */
  readonly calibration: string;
  /** Connected parts of the mask, and the share of its pixels that the measured one has. */
  readonly parts: number;
  readonly share: number;
  readonly area_mm2: number;
  readonly long_axis_mm: number;
  readonly short_axis_mm: number;
  readonly perimeter_mm: number;
  readonly ellipse: {
    readonly axes_mm: readonly [major: number, minor: number];
    readonly circumference_mm: number;
    readonly residual_mm: number;
    readonly centre_px: Point;
  } | null;
  /** Null where the file does not say where the probe is. */
  readonly depth: { readonly nearest_mm: number; readonly centroid_mm: number; readonly from: string } | null;
  readonly long_axis_px: readonly [Point, Point];
  readonly short_axis_px: readonly [Point, Point];
  /** How far the measures spread over variants of the input; only if asked for. */
  readonly spread?: SpreadRecord;
}

interface SpreadRecord {
  readonly variants: number;
  readonly lost: number;
  readonly area_mm2: number;
  readonly long_axis_mm: number;
  readonly short_axis_mm: number;
  readonly perimeter_mm: number;
}

/** The measures of a result, or null and the reason. */
export type MeasuresFields = { readonly measures: MeasuresRecord } | { readonly measures: null; readonly unmeasured: string };

/** Decimal places: a micrometre, far below what ultrasound resolves. */
const PLACES = 3;

/** Converts measures to the form that files and the REST API have. */
export function measuresFields(result: MaskMeasures | Unmeasured, spread?: Spread): MeasuresFields {
  if (!isMeasured(result)) return { measures: null, unmeasured: result.reason };
  const { ellipse, depth } = result;
  return {
    measures: {
      version: MEASURES_VERSION,
      spacing_mm: result.spacingMm,
      calibration: result.calibration,
      parts: result.parts,
      share: rounded(result.share),
      area_mm2: rounded(result.areaMm2),
      long_axis_mm: rounded(result.longAxis.mm),
      short_axis_mm: rounded(result.shortAxis.mm),
      perimeter_mm: rounded(result.perimeterMm),
      ellipse:
        ellipse === undefined
          ? null
          : {
              axes_mm: [rounded(ellipse.axesMm[0]), rounded(ellipse.axesMm[1])],
              circumference_mm: rounded(ellipse.circumferenceMm),
              residual_mm: rounded(ellipse.residualMm),
              centre_px: roundedPoint(ellipse.centrePx),
            },
      depth:
        depth === undefined
          ? null
          : { nearest_mm: rounded(depth.nearestMm), centroid_mm: rounded(depth.centroidMm), from: depth.from },
      long_axis_px: ends(result.longAxis),
      short_axis_px: ends(result.shortAxis),
      ...(spread && { spread: spreadRecord(spread) }),
    },
  };
}

function spreadRecord({ variants, lost, areaMm2, longAxisMm, shortAxisMm, perimeterMm }: Spread): SpreadRecord {
  return {
    variants,
    lost,
    area_mm2: rounded(areaMm2),
    long_axis_mm: rounded(longAxisMm),
    short_axis_mm: rounded(shortAxisMm),
    perimeter_mm: rounded(perimeterMm),
  };
}

function ends({ endsPx: [from, to] }: Diameter): [Point, Point] {
  return [roundedPoint(from), roundedPoint(to)];
}

function roundedPoint([x, y]: Point): Point {
  return [rounded(x), rounded(y)];
}

function rounded(value: number): number {
  return Number(value.toFixed(PLACES));
}
