import { type BinaryMask, type Calibration, type SpacingMm, scaleAt } from '../imaging/index.js';
import { longAxisOf, perimeterOf, shortAxisOf } from './axes.js';
import { circumference, fitEllipse } from './ellipse.js';
import { largestPart, type Part, type Point, smoothed } from './outline.js';

/** A diameter: its length, and its two ends in pixel edges of the image. */
export interface Diameter {
  readonly mm: number;
  readonly endsPx: readonly [Point, Point];
}

/** Depth below the surface of the probe, straight down the image. */
export interface Depth {
  readonly nearestMm: number;
  readonly centroidMm: number;
  /** Where depth is 0: the reference pixel that the file states, or the top of the scan region. */
  readonly from: 'reference pixel' | 'top of the scan region';
}

/** The measures of a mask whose scale is known: of its largest connected part. */
export interface MaskMeasures {
  readonly spacingMm: SpacingMm;
  /** What the scale comes from. */
  readonly calibration: string;
  /** Number of connected parts of the mask, and the share of its pixels that the measured one has. */
  readonly parts: number;
  readonly share: number;
  /** Pixels of the part times the area of one; holes excluded. */
  readonly areaMm2: number;
  /** The greatest diameter, and the greatest one at right angles to it. */
  readonly longAxis: Diameter;
  readonly shortAxis: Diameter;
  /** Length of the outer contour, smoothed so far that the steps of the grid do not count. */
  readonly perimeterMm: number;
  /** Absent where the outline is no ellipse: of fewer than six points, or a straight line. */
  readonly ellipse?: MeasuredEllipse | undefined;
  /** Absent where the file does not say where the probe is. */
  readonly depth?: Depth | undefined;
}

/** The ellipse that fits an outline best. */
export interface MeasuredEllipse {
  readonly axesMm: readonly [major: number, minor: number];
  readonly circumferenceMm: number;
  /** Root mean square distance of the outline from it. */
  readonly residualMm: number;
  readonly centrePx: Point;
}

/** Why a mask has no measures. */
export interface Unmeasured {
  readonly reason: string;
}

/** Whether a mask could be measured. */
export function isMeasured(result: MaskMeasures | Unmeasured): result is MaskMeasures {
  return !('reason' in result);
}

/**
 * Measures a mask in millimetres, by the calibration of its image. Pixels need not be square.
 *
 * @returns the reason instead where nothing calibrates the mask: pixels are never given for millimetres.
 */
export function measureMask(mask: BinaryMask, calibration: Calibration | undefined): MaskMeasures | Unmeasured {
  const part = largestPart(mask);
  if (part === undefined) return { reason: 'the mask is empty' };
  const scale = scaleAt(mask, calibration);
  if ('reason' in scale) return scale;
  const { spacingMm, source, surfaceYPx, surfaceStated } = scale;
  const [sx, sy] = spacingMm;
  const inMm = ([x, y]: Point): Point => [x * sx, y * sy];
  const outline = part.outline.map(inMm);
  const long = longAxisOf(outline);
  const short = shortAxisOf(outline, long);
  const toPx = ([x, y]: Point): Point => [x / sx, y / sy];
  const diameter = ({ length, from, to }: typeof long): Diameter => ({ mm: length, endsPx: [toPx(from), toPx(to)] });
  const fitted = fitEllipse(outline);
  return {
    spacingMm,
    calibration: source,
    parts: part.parts,
    share: part.share,
    areaMm2: part.pixels * sx * sy,
    longAxis: diameter(long),
    shortAxis: diameter(short),
    // Smoothed in pixels: the steps of the grid are as long in either direction there.
    perimeterMm: perimeterOf(smoothed(part.outline).map(inMm)),
    ellipse: fitted && {
      axesMm: fitted.axes,
      circumferenceMm: circumference(fitted.axes),
      residualMm: fitted.residual,
      centrePx: toPx(fitted.centre),
    },
    depth: surfaceYPx === undefined ? undefined : depthOf(part, surfaceYPx, surfaceStated === true, sy),
  };
}

function depthOf({ outline, centroid }: Part, surfaceYPx: number, stated: boolean, mm: number): Depth {
  const top = outline.reduce((least, [, y]) => Math.min(least, y), Number.POSITIVE_INFINITY);
  return {
    nearestMm: (top - surfaceYPx) * mm,
    centroidMm: (centroid[1] - surfaceYPx) * mm,
    from: stated ? 'reference pixel' : 'top of the scan region',
  };
}
