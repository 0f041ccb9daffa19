import type { Calibration, OverlayItem } from '../../imaging/index.js';
import {
  isMeasured,
  type MaskMeasures,
  type MeasuresFields,
  measureMask,
  measuresFields,
  type Spread,
  spreadOf,
  type Unmeasured,
} from '../../measure/index.js';
import type { BoxSegment, Segment } from '../segmenter.js';
import { isMasked, sameObject, type Variants } from './spread.js';

/** A segment with its measures. */
export interface MeasuredSegment {
  readonly segment: Segment | BoxSegment;
  readonly measures: MaskMeasures | Unmeasured;
  readonly spread?: Spread | undefined;
  /** As in `results.json`. */
  readonly fields: MeasuresFields;
}

/**
 * Measures a segment in millimetres; a box without a mask is not measured.
 *
 * @param variants - what variants of the image gave, for the spread of the measures, with the masks at other levels.
 */
export function measuredSegment(
  segment: Segment | BoxSegment,
  calibration: Calibration | undefined,
  variants?: Variants,
): MeasuredSegment {
  if (!isMasked(segment)) {
    const measures = { reason: 'there is no mask' };
    return { segment, measures, fields: measuresFields(measures) };
  }
  const measures = measureMask(segment.mask, calibration);
  if (variants === undefined || !isMeasured(measures)) return { segment, measures, fields: measuresFields(measures) };
  const masks = [...sameObject(segment, variants).map((other) => other?.mask), ...(segment.atLevels ?? [])];
  const others = masks.map((mask) => mask && measureMask(mask, calibration));
  const found = others.filter((other) => other !== undefined && isMeasured(other));
  const spread = spreadOf([measures, ...found], others.length - found.length);
  return { segment, measures, spread, fields: measuresFields(measures, spread) };
}

/** What an overlay shows of it: with its axes and their lengths, if they are known. */
export function overlayItem({ segment, measures, spread }: MeasuredSegment): OverlayItem {
  const { phrase, score, boxXyxyPx, mask } = segment;
  const item = { phrase, score, boxXyxyPx, mask };
  if (!isMeasured(measures)) return item;
  const { longAxis, shortAxis } = measures;
  const text = (mm: number, deviation: number | undefined) =>
    deviation === undefined ? mm.toFixed(1) : `${mm.toFixed(1)} ± ${deviation.toFixed(1)}`;
  const note = `${text(longAxis.mm, spread?.longAxisMm)} × ${text(shortAxis.mm, spread?.shortAxisMm)} mm`;
  return { ...item, note, axesPx: [longAxis.endsPx, shortAxis.endsPx] };
}
