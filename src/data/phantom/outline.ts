import type { Rng } from '../../util/index.js';

/** A closed curve around a centre, as a radius that varies with the angle. Lengths are in pixels. */
export interface Outline {
  readonly cx: number;
  readonly cy: number;
  /** Semi-axes. */
  readonly rx: number;
  readonly ry: number;
  /** Rotation of the axes, in radians. */
  readonly angle: number;
  /** Waves on the radius: relative amplitude, number per turn, phase. */
  readonly waves: readonly (readonly [amplitude: number, count: number, phase: number])[];
  /** Depth of a notch on one long side, relative to the radius: 0 for none; produces a bean shape. */
  readonly notch: number;
}

export interface OutlineRange {
  /** Overall deviation from an ellipse, relative to the radius. */
  readonly irregularity: number;
  /** Highest number of waves per turn. */
  readonly detail: number;
}

/** Draws waves whose amplitude falls with their number. */
export function drawWaves({ irregularity, detail }: OutlineRange, rng: Rng): Outline['waves'] {
  return Array.from({ length: Math.max(0, detail - 1) }, (_, i) => {
    const count = i + 2;
    return [(1.6 * irregularity * Math.abs(rng.normal())) / count ** 0.9, count, rng.uniform(0, 2 * Math.PI)] as const;
  });
}

/** Minimum radius of an outline, relative to the ellipse's. */
const LEAST = 0.25;

/**
 * Returns the normalised distance of positions from the outline's centre: 1 on the outline.
 *
 * The waves dominate the cost, so a position beyond `limit` whatever the waves is reported as infinitely far.
 */
export function radiusMeasure(
  { cx, cy, rx, ry, angle, waves, notch }: Outline,
  limit = Number.POSITIVE_INFINITY,
): (x: number, y: number) => number {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const widest = waves.reduce((sum, [amplitude]) => sum + Math.abs(amplitude), 1);
  const surelyFar = limit * widest * (1 + 1e-9);
  return (x, y) => {
    const [dx, dy] = [x - cx, y - cy];
    const u = (dx * cos + dy * sin) / rx;
    const v = (-dx * sin + dy * cos) / ry;
    const distance = Math.hypot(u, v);
    if (distance > surelyFar) return Number.POSITIVE_INFINITY;
    const theta = Math.atan2(v, u);
    let radius = 1;
    for (const [amplitude, count, phase] of waves) radius += amplitude * Math.sin(count * theta + phase);
    if (notch > 0) radius -= notch * Math.exp(-(((theta - Math.PI / 2) / 0.45) ** 2));
    return distance / Math.max(LEAST, radius);
  };
}

/** A rectangle that is guaranteed to contain the outline, in integer pixels inside the image. */
export function boundsOf({ cx, cy, rx, ry, waves }: Outline, width: number, height: number): [number, number, number, number] {
  const reach = Math.max(rx, ry) * (1.15 + waves.reduce((sum, [amplitude]) => sum + amplitude, 0));
  const clamp = (value: number, limit: number) => Math.min(Math.max(Math.round(value), 0), limit);
  return [clamp(cx - reach, width), clamp(cy - reach, height), clamp(cx + reach, width), clamp(cy + reach, height)];
}
