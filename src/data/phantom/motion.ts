import type { Size } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';

/** How tissue and probe move against each other in a clip. Lengths are in pixels, times in frames. */
export interface Motion {
  /** Breathing: along the beam, more the deeper. */
  readonly breathing: Wave;
  /** The probe sliding along the skin, and turning in its plane (in radians). */
  readonly sliding: Wave;
  readonly turning: Wave;
  /** Across the imaged plane; 1 is half the thickness of a typical structure. */
  readonly across: Wave;
  /** The probe leaves the structures' planes and comes back: from, to. Undefined if it does not. */
  readonly away: readonly [from: number, to: number] | undefined;
  /** Scatterers renewed a frame without motion, as a share of those that crossing one slice renews. */
  readonly drift: number;
}

/** A sine that is 0 at frame 0. */
interface Wave {
  readonly amplitude: number;
  readonly period: number;
}

/** Distance across the plane, after which no scatterer is seen any more, relative to {@link Motion.across}. */
const SLICE = 0.3;

/** How far the probe goes, in the unit of {@link Motion.across}: further than any structure reaches. */
const AWAY = 2.4;

/** Share of frames in which it goes there, and again in which it comes back. */
const LEAVING = 0.12;

/** @param leaves - whether structures leave the plane and come back. Default: of three clips in ten. */
export function drawMotion({ width, height }: Size, frames: number, rng: Rng, leaves: boolean = rng.chance(0.3)): Motion {
  const sign = () => (rng.chance(0.5) ? 1 : -1);
  const wave = (low: number, high: number, shortest: number, longest: number): Wave => ({
    amplitude: sign() * rng.uniform(low, high),
    period: rng.uniform(shortest, longest),
  });
  const from = rng.uniform(0.25, 0.4) * frames;
  return {
    breathing: wave(0.02 * height, 0.07 * height, 18, 40),
    sliding: wave(0.02 * width, 0.09 * width, 24, 70),
    turning: wave(0.01, 0.06, 24, 70),
    across: wave(0.1, 0.35, 20, 60),
    away: leaves ? [from, from + rng.uniform(0.35, 0.5) * frames] : undefined,
    drift: rng.uniform(0, 0.06),
  };
}

/** The probe's distance from the plane of frame 0, in the unit of {@link Motion.across}. */
export function acrossAt({ across, away }: Motion, frame: number, frames: number): number {
  const ramp = Math.max(1, LEAVING * frames);
  const gone = away === undefined ? 0 : smoothStep((frame - away[0]) / ramp) * smoothStep((away[1] - frame) / ramp);
  return at(across, frame) + AWAY * gone;
}

/** Position among slices of scatterers: they are renewed by motion across the plane, and a little by time. */
export function sliceAt(motion: Motion, frame: number, frames: number): number {
  return acrossAt(motion, frame, frames) / SLICE + motion.drift * frame;
}

/** Where in the tissue, in pixels of frame 0, a point of an image lies. */
export type Displacement = (x: number, y: number) => readonly [x: number, y: number];

export function displacementAt(motion: Motion, frame: number, { width, height }: Size): Displacement {
  const [breath, slide, turn] = [motion.breathing, motion.sliding, motion.turning].map((wave) => at(wave, frame)) as [
    number,
    number,
    number,
  ];
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const centre = width / 2;
  return (x, y) => {
    // The skin stays at the probe.
    const free = 1 - Math.exp(-Math.max(0, y) / (0.12 * height));
    const [u, v] = [x - centre, y];
    return [
      centre + u * cos - v * sin + slide + 0.25 * breath * free,
      v + ((cos - 1) * v + sin * u + breath * (0.4 + (0.6 * y) / height)) * free,
    ];
  };
}

function at({ amplitude, period }: Wave, frame: number): number {
  return amplitude * Math.sin((2 * Math.PI * frame) / period);
}

function smoothStep(t: number): number {
  const x = Math.min(Math.max(t, 0), 1);
  return x * x * (3 - 2 * x);
}
