import type { BinaryMask, BoxXyxy } from './mask.js';

/** Millimetres between columns and between rows. */
export type SpacingMm = readonly [across: number, down: number];

/** The part of an image that one scan occupies, with a scale of its own (DICOM PS3.3, C.8.5.5). */
export interface ScanRegion {
  /** Its name in messages: `region 2 (M-mode)`. */
  readonly name: string;
  /** In pixel edges, within the image. */
  readonly boxXyxyPx: BoxXyxy;
  /** Absent where it does not measure lengths. */
  readonly spacingMm?: SpacingMm;
  /** Why it has no spacing. */
  readonly reason?: string;
  /** Row, in pixel edges, at which depth is 0; may lie outside of the image. */
  readonly surfaceYPx: number;
  /** Whether the file says where depth is 0; otherwise it is the top of the region. */
  readonly surfaceStated: boolean;
  /** Whether its pixels take precedence over those of a region that overlaps it. */
  readonly prior: boolean;
}

/** How pixels relate to millimetres: one scale for the image, one for each region, or none and the reason. */
export type Calibration =
  | { readonly kind: 'image'; readonly spacingMm: SpacingMm; readonly source: string }
  | { readonly kind: 'regions'; readonly regions: readonly ScanRegion[]; readonly source: string }
  | { readonly kind: 'none'; readonly reason: string };

/** The scale at a mask. */
export interface MaskScale {
  readonly spacingMm: SpacingMm;
  /** Where it comes from: `SequenceOfUltrasoundRegions, region 1`. */
  readonly source: string;
  /** Row, in pixel edges, at which depth is 0; absent where the file does not say. */
  readonly surfaceYPx?: number;
  /** Whether the file states that row; otherwise it is the top of the scan region. */
  readonly surfaceStated?: boolean;
}

/** Spacings that differ by less agree. Files round them. */
const AGREE = 0.01;

/** Share of a mask's pixels that may lie outside of its region: less than the uncertainty of its edge. */
const OUTSIDE = 0.01;

/** The reason for images of formats that have no calibration. */
const UNSTATED = 'the file does not say how large a pixel is';

/** Whether two spacings are equal within 1 %. */
export function sameSpacing(a: SpacingMm, b: SpacingMm): boolean {
  return a.every((value, axis) => Math.abs(value - (b[axis] as number)) <= AGREE * Math.max(value, b[axis] as number));
}

/** The spacing of the whole image, if all of its scan regions that measure lengths agree; otherwise nothing. */
export function commonSpacing(calibration: Calibration | undefined): SpacingMm | undefined {
  if (calibration === undefined || calibration.kind === 'none') return undefined;
  if (calibration.kind === 'image') return calibration.spacingMm;
  const [first, ...others] = calibration.regions.flatMap(({ spacingMm }) => (spacingMm === undefined ? [] : [spacingMm]));
  return first !== undefined && others.every((other) => sameSpacing(first, other)) ? first : undefined;
}

/**
 * The scale that holds for all of a mask, or the reason why none does. A mask belongs to the scan region that contains 99 % of
 * it. A mask that lies across two scans has no scale even if both have the same: a line from one to the other is no distance. A
 * region inside of another with the same scale (a colour box) is part of it.
 */
export function scaleAt(mask: BinaryMask, calibration: Calibration | undefined): MaskScale | { readonly reason: string } {
  if (calibration === undefined) return { reason: UNSTATED };
  if (calibration.kind === 'none') return { reason: calibration.reason };
  const { source } = calibration;
  if (calibration.kind === 'image') return { spacingMm: calibration.spacingMm, source };
  const shares = sharesOf(mask, calibration.regions);
  const touched = shares.filter(({ share }) => share > OUTSIDE);
  const around = touched.filter(({ share }) => share >= 1 - OUTSIDE).map(({ region }) => region);
  const partly = touched.filter(({ share }) => share < 1 - OUTSIDE).map(({ region }) => region);
  const [home] = priorOf(around);
  if (home === undefined) return { reason: outsideReason(touched) };
  if (home.spacingMm === undefined) return { reason: `${home.name}: ${home.reason}` };
  const { spacingMm, surfaceYPx, surfaceStated } = home;
  const others = [...priorOf(around).slice(1), ...partly];
  const strange = others.find((other) => other.spacingMm === undefined || !sameSpacing(spacingMm, other.spacingMm));
  if (strange !== undefined) return { reason: `the mask lies in ${home.name} and in ${strange.name}, whose scales differ` };
  return { spacingMm, source: `${source}, ${home.name}`, surfaceYPx, surfaceStated };
}

interface RegionShare {
  readonly region: ScanRegion;
  /** Of the mask's pixels. */
  readonly share: number;
}

function sharesOf({ width, data }: BinaryMask, regions: readonly ScanRegion[]): RegionShare[] {
  const counts = regions.map(() => 0);
  let total = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    total += 1;
    const [x, y] = [i % width, Math.floor(i / width)];
    for (const [
      k,
      {
        boxXyxyPx: [x0, y0, x1, y1],
      },
    ] of regions.entries())
      if (x >= x0 && x < x1 && y >= y0 && y < y1) counts[k] = (counts[k] as number) + 1;
  }
  return regions.map((region, k) => ({ region, share: (counts[k] as number) / Math.max(1, total) }));
}

/** Those of priority where there are any, small ones first: the region that a reader sees is the inner one. */
function priorOf(regions: readonly ScanRegion[]): ScanRegion[] {
  const prior = regions.filter((region) => region.prior);
  return [...(prior.length > 0 ? prior : regions)].sort((a, b) => areaOf(a) - areaOf(b));
}

function areaOf({ boxXyxyPx: [x0, y0, x1, y1] }: ScanRegion): number {
  return (x1 - x0) * (y1 - y0);
}

function outsideReason(touched: readonly RegionShare[]): string {
  const [first, second] = [...touched].sort((a, b) => b.share - a.share);
  if (first === undefined) return 'the mask lies outside of the scan regions';
  if (second !== undefined) return `the mask lies across ${first.region.name} and ${second.region.name}`;
  return `${Math.round(100 * (1 - first.share))} % of the mask lie outside of ${first.region.name}`;
}
