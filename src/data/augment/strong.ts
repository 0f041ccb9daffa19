import type { Augmentations } from './augmentations.js';

/**
 * The preset `strong`, for training small models on few real images, which they would otherwise memorise. Ranges are as wide as
 * plausible across scanners and operators; most changes apply to only a fraction of the images, so that many stay close to the
 * original. Omitted: `resize`, `crop` and `pad` (`zoom` covers them, and the model has its own input size), and `blur`
 * (`resolution` and `soften` cover it at a fraction of the cost).
 */
export const STRONG: Augmentations = {
  flip: 0.5,
  rotate: { chance: 0.6, most: 15 },
  shear: { chance: 0.4, most: 0.15 },
  stretch: { chance: 0.6, factor: [0.75, 1.33] },
  zoom: { chance: 0.8, factor: [0.75, 1.6] },
  shift: { chance: 0.4, most: 0.1 },
  keep: 0.6,
  resolution: { chance: 0.25, smallest: 0.4 },
  soften: { chance: 0.25, most: 1.5 },
  gain: [0.75, 1.2],
  dynamicRange: { chance: 0.4, factor: [0.8, 1.2] },
  gamma: { chance: 0.6, exponent: [0.7, 1.4] },
  attenuation: { chance: 0.6, slope: 8, bands: 1 },
  shadow: { chance: 0.3, most: 2, factor: [0.25, 0.75] },
  enhancement: { chance: 0.15, most: 1, factor: [1.15, 1.45] },
  speckle: { most: 0.2, grain: [1, 4] },
  erase: { chance: 0.3, most: 4, area: [0.002, 0.02], fill: 'own', hide: 0.3 },
};
