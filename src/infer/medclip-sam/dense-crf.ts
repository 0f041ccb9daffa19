import type { BinaryMask, RasterImage } from '../../imaging/index.js';
import { PermutohedralLattice } from './permutohedral-lattice.js';

/** Settings of {@link refineByCrf}: the defaults of MedCLIP-SAM's script. */
const CRF = {
  /** Standard deviations in pixels and levels, and weights, of the kernels by place, and by place and colour. */
  near: { place: 3, weight: 3 },
  alike: { place: 60, colour: 5, weight: 5 },
  /** Keeps logarithms finite. */
  eps: 1e-8,
  /** Temperature of the probabilities. */
  tau: 1.05,
};

/**
 * Moves the borders of a map of probabilities to edges of the image, by one step of mean-field inference in a fully connected
 * conditional random field.
 *
 * @param probabilities - [height * width] f32 in [0, 1], on the image's grid.
 * @returns the pixels that are more probably inside than outside.
 * @see Krähenbühl and Koltun 2011, Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials; MedCLIP-SAM,
 *   `crf/densecrf_sal.py`
 */
export function refineByCrf(image: RasterImage, probabilities: Float32Array): BinaryMask {
  const { width, height } = image;
  const marginals = crfMarginals(image, probabilities);
  return { width, height, data: Uint8Array.from(marginals, (inside) => Number(inside > 0.5)) };
}

/** Probability that each pixel is inside, after the step: [height * width] f32. */
export function crfMarginals(image: RasterImage, probabilities: Float32Array): Float32Array {
  const energies = probabilities.map(energyInside);
  const first = energies.map(probabilityOf);
  const { near, alike } = CRF;
  let logits = energies;
  for (const [features, dimensions, weight] of [
    [placesOf(image, near.place), 2, near.weight],
    [coloursOf(image, alike.place, alike.colour), 5, alike.weight],
  ] as const) {
    // Both labels are filtered alike, so that the difference of their messages is the filtered difference.
    const message = normalisedFilter(
      features,
      dimensions,
      first.map((inside) => 2 * inside - 1),
    );
    logits = logits.map((logit, i) => logit + weight * (message[i] as number));
  }
  return logits.map(probabilityOf);
}

/** The energy of the outside minus that of the inside. */
function energyInside(probability: number): number {
  const energy = (p: number) => -Math.log(p + CRF.eps) / (CRF.tau * probabilityOf(p));
  return energy(1 - probability) - energy(probability);
}

function probabilityOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** A Gaussian filter whose kernel is divided by the roots of its sums at both ends. */
function normalisedFilter(features: Float32Array, dimensions: number, values: Float32Array): Float32Array {
  const lattice = new PermutohedralLattice(features, dimensions);
  const norm = lattice.filter(new Float32Array(values.length).fill(1)).map((sum) => 1 / Math.sqrt(sum + 1e-20));
  const filtered = lattice.filter(values.map((value, i) => value * (norm[i] as number)));
  return filtered.map((value, i) => value * (norm[i] as number));
}

/** [pixels, 2]: column and row. */
function placesOf({ width, height }: RasterImage, scale: number): Float32Array {
  return Float32Array.from({ length: 2 * width * height }, (_, i) => {
    const pixel = i >> 1;
    return (i % 2 === 0 ? pixel % width : Math.floor(pixel / width)) / scale;
  });
}

/** [pixels, 5]: column, row, blue, green and red, in the order of the reference, whose lattice depends on it. */
function coloursOf({ width, height, data }: RasterImage, place: number, colour: number): Float32Array {
  const features = new Float32Array(5 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [red = 0, green = 0, blue = 0] = data.subarray(3 * pixel, 3 * pixel + 3);
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    features.set([x / place, y / place, blue / colour, green / colour, red / colour], 5 * pixel);
  }
  return features;
}
