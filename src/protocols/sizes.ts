import type { Sample } from '../data/index.js';
import type { BinaryMask, Calibration } from '../imaging/index.js';
import { isMeasured, type MaskMeasures, measureMask } from '../measure/index.js';

/** The measures that are compared, in the order of tables. */
export const measureNames = ['long axis', 'short axis', 'perimeter', 'ellipse circumference', 'area'] as const;
export type MeasureName = (typeof measureNames)[number];

/** A measure of the predicted and of the true mask, in mm; the area in mm². */
export interface SizePair {
  readonly measure: MeasureName;
  readonly measured: number;
  readonly truth: number;
}

const VALUE: Readonly<Record<MeasureName, (measures: MaskMeasures) => number | undefined>> = {
  'long axis': ({ longAxis }) => longAxis.mm,
  'short axis': ({ shortAxis }) => shortAxis.mm,
  perimeter: ({ perimeterMm }) => perimeterMm,
  'ellipse circumference': ({ ellipse }) => ellipse?.circumferenceMm,
  area: ({ areaMm2 }) => areaMm2,
};

/** Measures a predicted and a true mask of one image. Empty where one of them has no scale. */
export function sizesOf(sample: Sample, predicted: BinaryMask, truth: BinaryMask): SizePair[] {
  const calibration = calibrationOf(sample);
  if (calibration === undefined) return [];
  const [own, real] = [measureMask(predicted, calibration), measureMask(truth, calibration)];
  if (!isMeasured(own) || !isMeasured(real)) return [];
  return measureNames.flatMap((measure) => {
    const [measured, value] = [VALUE[measure](own), VALUE[measure](real)];
    return measured === undefined || value === undefined ? [] : [{ measure, measured, truth: value }];
  });
}

/** What the dataset states comes before what the file does: it was scaled with the image. */
function calibrationOf({ spacingMm, image }: Sample): Calibration | undefined {
  return spacingMm === undefined ? image.calibration : { kind: 'image', spacingMm, source: 'dataset' };
}
