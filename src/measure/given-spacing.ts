import { type Calibration, type SpacingMm, sameSpacing } from '../imaging/index.js';

/**
 * The calibration of an image whose size of a pixel somebody gives. A file that states a scale keeps it, if that agrees; a
 * contradiction leaves the image without one, as nothing says which is right.
 *
 * @param source - what gives the size, in messages: `--mm-per-pixel`.
 */
export function withGivenSpacing(own: Calibration | undefined, given: SpacingMm, source: string): Calibration {
  if (own === undefined || own.kind === 'none') return { kind: 'image', spacingMm: given, source };
  const stated = own.kind === 'image' ? [own] : own.regions;
  const other = stated.find(({ spacingMm }) => spacingMm !== undefined && !sameSpacing(spacingMm, given))?.spacingMm;
  if (other === undefined) return own;
  return { kind: 'none', reason: `the file says ${textOf(other)} mm a pixel, ${source} says ${textOf(given)}` };
}

function textOf(pair: SpacingMm): string {
  return pair.map((value) => Number(value.toPrecision(4))).join(' x ');
}
