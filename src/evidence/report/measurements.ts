import { type Code, dcm, sct } from '../../dicom/index.js';
import type { MeasuresRecord } from '../../measure/index.js';
import { PRIVATE_SCHEME } from '../phrase-codes.js';
import { type ContentItem, code, measurement } from './content-items.js';

const ucum = (value: string, meaning: string): Code => ({ value, scheme: 'UCUM', meaning });

const MM = ucum('mm', 'millimeter');
const MM2 = ucum('mm2', 'square millimeter');

const DERIVATION = dcm('121401', 'Derivation');
const STANDARD_DEVIATION = sct('386136009', 'Standard Deviation');
const METHOD = sct('370129005', 'Measurement Method');

const method = (value: string, meaning: string): Code => ({ value, scheme: PRIVATE_SCHEME, meaning });
const ELLIPSE = method('ELLIPSE-LSQ', 'Ellipse fitted to the outline by direct least squares');
const NEAREST = method('DEPTH-NEAREST', 'Straight down from the probe to the nearest point');
const CENTROID = method('DEPTH-CENTROID', 'Straight down from the probe to the centroid');

/** A measure that has a spread. */
type Spreading = 'area_mm2' | 'long_axis_mm' | 'short_axis_mm' | 'perimeter_mm';

interface Measure {
  readonly concept: Code;
  readonly unit: Code;
  readonly value: (measures: MeasuresRecord) => number | undefined;
  readonly method?: Code;
  readonly spread?: Spreading;
}

/** The measures of a report, in order, with their concepts (PS3.16, CID 7469). */
const MEASURES: readonly Measure[] = [
  { concept: sct('42798000', 'Area'), unit: MM2, value: ({ area_mm2 }) => area_mm2, spread: 'area_mm2' },
  { concept: sct('103339001', 'Long axis'), unit: MM, value: ({ long_axis_mm }) => long_axis_mm, spread: 'long_axis_mm' },
  { concept: sct('103340004', 'Short axis'), unit: MM, value: ({ short_axis_mm }) => short_axis_mm, spread: 'short_axis_mm' },
  { concept: sct('131191004', 'Perimeter'), unit: MM, value: ({ perimeter_mm }) => perimeter_mm, spread: 'perimeter_mm' },
  { concept: sct('131187009', 'Major Axis'), unit: MM, value: ({ ellipse }) => ellipse?.axes_mm[0], method: ELLIPSE },
  { concept: sct('131188004', 'Minor Axis'), unit: MM, value: ({ ellipse }) => ellipse?.axes_mm[1], method: ELLIPSE },
  { concept: sct('74551000', 'Circumference'), unit: MM, value: ({ ellipse }) => ellipse?.circumference_mm, method: ELLIPSE },
  { concept: sct('131197000', 'Depth'), unit: MM, value: ({ depth }) => depth?.nearest_mm, method: NEAREST },
  { concept: sct('131197000', 'Depth'), unit: MM, value: ({ depth }) => depth?.centroid_mm, method: CENTROID },
];

/**
 * The measures of an object as content items. The spread of a measure follows it, as its standard deviation.
 *
 * @param modifiers - of each measurement: where it is of.
 */
export function measurementItems(measures: MeasuresRecord, modifiers: readonly ContentItem[]): ContentItem[] {
  return MEASURES.flatMap(({ concept, unit, value, method: by, spread }) => {
    const number = value(measures);
    if (number === undefined) return [];
    const own = [...(by === undefined ? [] : [code('HAS CONCEPT MOD', METHOD, by)]), ...modifiers];
    const deviation = spread && measures.spread?.[spread];
    return [
      measurement(concept, number, unit, own),
      ...(deviation === undefined
        ? []
        : [measurement(concept, deviation, unit, [code('HAS CONCEPT MOD', DERIVATION, STANDARD_DEVIATION), ...own])]),
    ];
  });
}
