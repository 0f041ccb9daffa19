import type { Calibration, OverlayItem } from '../../imaging/index.js';
import {
  isMeasured,
  type MaskMeasures,
  type MeasuresFields,
  measureMask,
  measuresFields,
  type Unmeasured,
} from '../../measure/index.js';
import type { BoxSegment, Segment } from '../segmenter.js';

/** A segment with its measures. */
export interface MeasuredSegment {
  readonly segment: Segment | BoxSegment;
  readonly measures: MaskMeasures | Unmeasured;
  /** As in `results.json`. */
  readonly fields: MeasuresFields;
}

/** Measures a segment in millimetres; a box without a mask is not measured. */
export function measuredSegment(segment: Segment | BoxSegment, calibration: Calibration | undefined): MeasuredSegment {
  const { mask } = segment;
  const measures = mask === undefined ? { reason: 'there is no mask' } : measureMask(mask, calibration);
  return { segment, measures, fields: measuresFields(measures) };
}

/** What an overlay shows of it: with its axes and their lengths, if they are known. */
export function overlayItem({ segment, measures }: MeasuredSegment): OverlayItem {
  const { phrase, score, boxXyxyPx, mask } = segment;
  const item = { phrase, score, boxXyxyPx, mask };
  if (!isMeasured(measures)) return item;
  const { longAxis, shortAxis } = measures;
  const note = `${longAxis.mm.toFixed(1)} × ${shortAxis.mm.toFixed(1)} mm`;
  return { ...item, note, axesPx: [longAxis.endsPx, shortAxis.endsPx] };
}
