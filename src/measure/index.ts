/** Measures of masks in millimetres. */

export { circumference } from './ellipse.js';
export { withGivenSpacing } from './given-spacing.js';
export {
  type Depth,
  type Diameter,
  isMeasured,
  type MaskMeasures,
  type MeasuredEllipse,
  measureMask,
  type Unmeasured,
} from './mask-measures.js';
export { PixelSizes } from './pixel-sizes.js';
export { MEASURES_VERSION, type MeasuresFields, type MeasuresRecord, measuresFields } from './record.js';
export { type Spread, spreadOf } from './spread.js';
export { type EllipsoidVolume, ellipsoidVolume, type PlaneAxes } from './volume.js';
