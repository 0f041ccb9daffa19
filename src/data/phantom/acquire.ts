import type { RasterImage, Size } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { PhantomDomain } from './domains.js';
import { blur, type Field, field, gaussianNoise, sampleAt } from './fields.js';
import { draw } from './structures.js';
import type { Tissue } from './tissue.js';

/** Beam geometry: parallel from the top edge, or a sector from a point above it. */
export interface ProbeGeometry {
  /** The position, in pixels, of sample `depth` of beam `beam`. */
  toImage(beam: number, depth: number): readonly [x: number, y: number];
  /** The beam and sample at a position. */
  toBeam(x: number, y: number): readonly [beam: number, depth: number];
  readonly beams: number;
  readonly samples: number;
}

export function drawGeometry(width: number, height: number, domain: PhantomDomain, rng: Rng): ProbeGeometry {
  if (!rng.chance(domain.sector)) {
    return { toImage: (beam, depth) => [beam, depth], toBeam: (x, y) => [x, y], beams: width, samples: height };
  }
  const half = rng.uniform(0.45, 0.75);
  const inner = height * rng.uniform(0.1, 0.5);
  const apex = -inner * Math.cos(half) + height * rng.uniform(0, 0.03);
  const centre = width / 2;
  const samples = Math.round(height - apex - inner);
  const beams = width;
  return {
    beams,
    samples,
    toImage: (beam, depth) => {
      const angle = half * ((2 * beam) / (beams - 1) - 1);
      return [centre + (inner + depth) * Math.sin(angle), apex + (inner + depth) * Math.cos(angle)];
    },
    toBeam: (x, y) => {
      const angle = Math.atan2(x - centre, y - apex);
      return [((angle / half + 1) / 2) * (beams - 1), Math.hypot(x - centre, y - apex) - inner];
    },
  };
}

/** Returns a test for whether a position lies in the field of view. */
export function inView({ toBeam, beams, samples }: ProbeGeometry): (x: number, y: number) => boolean {
  return (x, y) => {
    const [beam, depth] = toBeam(x, y);
    return beam >= 0 && depth >= 0 && beam <= beams - 1 && depth <= samples - 1;
  };
}

/** Randomness of an acquisition. */
export interface Acquisition {
  /** Draws the scanner's settings, and whatever is not given below. */
  readonly rng: Rng;
  /** Scatterers by beam and sample, of unit variance, in phase and in quadrature; changed in place. Default: drawn. */
  readonly scatterers?: (() => readonly [Field, Field]) | undefined;
  /** Draws the noise of the electronics. Default: `rng`. */
  readonly electronics?: Rng | undefined;
}

/**
 * Simulates an ultrasound image of tissue: random scatterers of the tissue's echogenicity, attenuated along each beam, convolved
 * with a point-spread function that widens away from the focus, shown as an envelope in decibels.
 */
export function acquire(
  { level, attenuation }: Pick<Tissue, 'level' | 'attenuation'>,
  geometry: ProbeGeometry,
  domain: PhantomDomain,
  { rng, scatterers, electronics = rng }: Acquisition,
): RasterImage {
  const { width, height } = level;
  const { beams, samples } = geometry;
  const unit = Math.min(width, height) / 128;
  const loss = draw(domain.depthLoss, rng) / samples;
  const strength = field(beams, samples);
  for (let beam = 0; beam < beams; beam++) {
    let behind = 0;
    for (let depth = 0; depth < samples; depth++) {
      const [x, y] = geometry.toImage(beam, depth);
      behind += sampleAt(attenuation, x, y, 0) + loss;
      strength.data[depth * beams + beam] = sampleAt(level, x, y, 0) - behind;
    }
  }
  const envelope = speckle(strength, domain, unit, { rng, scatterers, electronics });
  return display(envelope, geometry, { width, height }, domain, rng, electronics);
}

/** Envelope in dB of scatterers with the given strength in dB. */
function speckle(
  strength: Field,
  domain: PhantomDomain,
  unit: number,
  { rng, scatterers, electronics }: Acquisition & { readonly electronics: Rng },
): Field {
  const { width, height } = strength;
  const amplitude = strength.data.map((decibels) => 10 ** (decibels / 20));
  const lateral = draw(domain.lateral, rng) * unit;
  const axial = draw(domain.axial, rng) * unit;
  const focus = rng.uniform(0.2, 0.7) * height;
  const sigmaX = (row: number) => lateral * (1 + (0.8 * Math.abs(row - focus)) / height);
  const given = scatterers?.();
  const quadratures = [0, 1].map((k) => {
    const noise = given?.[k] ?? gaussianNoise(width, height, rng);
    for (let i = 0; i < noise.data.length; i++) noise.data[i] = (noise.data[i] as number) * (amplitude[i] as number);
    return blur(noise, sigmaX, axial).data;
  }) as [Float32Array, Float32Array];
  const [real, imaginary] = quadratures;
  // Spatial compounding averages views; more views give smoother speckle.
  const smooth = rng.uniform(0, 0.65);
  const floor = rng.uniform(0.002, 0.012);
  const data = new Float32Array(real.length);
  for (let i = 0; i < data.length; i++) {
    const look = Math.hypot(real[i] as number, imaginary[i] as number) * Math.SQRT1_2;
    const compounded = (1 - smooth) * look + smooth * 0.886 * (amplitude[i] as number);
    data[i] = 20 * Math.log10(compounded + floor * (1 + electronics.uniform()));
  }
  return { width, height, data };
}

/** Scan conversion, log compression and the scanner's brightness curve. */
function display(
  envelope: Field,
  geometry: ProbeGeometry,
  { width, height }: Size,
  domain: PhantomDomain,
  rng: Rng,
  electronics: Rng,
): RasterImage {
  const range = draw(domain.dynamicRange, rng);
  const gain = draw(domain.gain, rng);
  const gamma = draw(domain.gamma, rng);
  const noise = rng.uniform(0, 0.02);
  const black = rng.chance(0.5) ? rng.uniform(0, 0.08) : 0;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [beam, depth] = geometry.toBeam(x, y);
      const decibels = sampleAt(envelope, beam, depth, Number.NEGATIVE_INFINITY);
      if (decibels === Number.NEGATIVE_INFINITY) continue;
      const linear = Math.min(1, Math.max(0, gain + decibels / range + noise * (electronics.uniform() - 0.5)));
      const grey = Math.round(255 * (black + (1 - black) * linear ** gamma));
      const i = (y * width + x) * 3;
      data[i] = grey;
      data[i + 1] = grey;
      data[i + 2] = grey;
    }
  }
  return { width, height, data };
}
