import type { SpacingMm } from './calibration.js';

/** Share of the image's width that a scale bar takes at most. */
const SHARE = 0.25;

/** Lengths of a scale bar: 1, 2 and 5 times powers of ten. */
const STEPS = [5, 2, 1];

/** A scale bar to draw. */
export interface ScaleBar {
  readonly mm: number;
  /** Along columns and along rows, in pixels. */
  readonly lengthPx: readonly [across: number, down: number];
}

/** The longest round length whose bar takes at most a quarter of the width in pixels. */
export function scaleBarOf(width: number, [across, down]: SpacingMm): ScaleBar {
  const most = SHARE * width * across;
  const power = 10 ** Math.floor(Math.log10(most));
  const mm = Number(((STEPS.find((step) => step * power <= most) ?? 1) * power).toPrecision(1));
  return { mm, lengthPx: [mm / across, mm / down] };
}
