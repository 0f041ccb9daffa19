import type { DataSet } from 'dicom-parser';
import { type Calibration, type SpacingMm, sameSpacing } from '../../calibration.js';
import { scanRegion, type UltrasoundRegion } from './ultrasound-regions.js';

const SHARED_GROUPS = 'x52009229';
const FRAME_GROUPS = 'x52009230';
const PIXEL_MEASURES = 'x00289110';
const PIXEL_SPACING = 'x00280030';

/** Spacings of something else than the tissue: of scanned sheets, and at an X-ray detector. */
const OF_OTHERS = { x00182010: 'NominalScannedPixelSpacing', x00181164: 'ImagerPixelSpacing' } as const;

/** Parts of a header that calibrate an image. */
interface Parts {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly regions: readonly UltrasoundRegion[];
}

/**
 * The calibration of each frame; a single one if it holds for all. Regions come first, as the standard has them for ultrasound;
 * then the pixel measures of enhanced multi-frame files, of the frame before shared ones; then PixelSpacing. A PixelSpacing that
 * contradicts a region leaves the image uncalibrated, as nothing says which is right.
 */
export function dicomCalibrations(set: DataSet, { frames, regions, ...image }: Parts): (Calibration | undefined)[] {
  const plain = pixelSpacing(set);
  const shared = pixelSpacing(measuresOf(set.elements[SHARED_GROUPS]?.items?.[0]?.dataSet));
  const own = (set.elements[FRAME_GROUPS]?.items ?? []).slice(0, frames).map(({ dataSet }) => pixelSpacing(measuresOf(dataSet)));
  const of = (spacing: Stated) => calibrationOf(set, regions, image, spacing);
  if (own.every((spacing) => spacing === undefined))
    return [of(named(shared, 'PixelMeasuresSequence') ?? named(plain, 'PixelSpacing'))];
  return Array.from({ length: frames }, (_, i) =>
    of(named(own[i] ?? shared, 'PixelMeasuresSequence') ?? named(plain, 'PixelSpacing')),
  );
}

/** A stated spacing, valid or not, with the name of its attribute. */
type Stated = { readonly spacingMm: SpacingMm; readonly name: string } | undefined;

function named(spacingMm: SpacingMm | undefined, name: string): Stated {
  return spacingMm && { spacingMm, name };
}

function measuresOf(groups: DataSet | undefined): DataSet | undefined {
  return groups?.elements[PIXEL_MEASURES]?.items?.[0]?.dataSet;
}

/** Whatever the attribute says, columns before rows; NaN for what is no number. */
function pixelSpacing(set: DataSet | undefined): SpacingMm | undefined {
  if (set?.elements[PIXEL_SPACING] === undefined || (set.string(PIXEL_SPACING) ?? '').trim() === '') return undefined;
  // DICOM lists rows before columns.
  return [set.floatString(PIXEL_SPACING, 1) ?? Number.NaN, set.floatString(PIXEL_SPACING, 0) ?? Number.NaN];
}

function calibrationOf(
  set: DataSet,
  regions: readonly UltrasoundRegion[],
  image: { readonly width: number; readonly height: number },
  stated: Stated,
): Calibration | undefined {
  if (regions.length === 0) return withoutRegions(set, stated);
  const scanned = regions.map((region, i) => scanRegion(region, i, image));
  for (const { name, spacingMm } of scanned)
    if (stated !== undefined && spacingMm !== undefined && !sameSpacing(stated.spacingMm, spacingMm)) {
      const [region, own] = [spacingMm, stated.spacingMm].map((pair) =>
        pair.map((value) => Number(value.toPrecision(4))).join(' x '),
      );
      return { kind: 'none', reason: `${name} says ${region} mm a pixel, ${stated.name} says ${own}` };
    }
  return { kind: 'regions', regions: scanned, source: 'SequenceOfUltrasoundRegions' };
}

function withoutRegions(set: DataSet, stated: Stated): Calibration | undefined {
  if (stated !== undefined) {
    const { spacingMm, name: source } = stated;
    if (spacingMm.every((value) => Number.isFinite(value) && value > 0)) return { kind: 'image', spacingMm, source };
    return { kind: 'none', reason: `${source} says ${spacingMm.join(' x ')} mm, which is no size of a pixel` };
  }
  const other = Object.entries(OF_OTHERS).find(([tag]) => set.elements[tag] !== undefined)?.[1];
  if (other === undefined) return undefined;
  return { kind: 'none', reason: `the file has ${other} alone, which is not measured in the tissue` };
}
