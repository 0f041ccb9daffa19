import { z } from 'zod';

const fraction = z.number().min(0).max(1);
const chance = fraction.default(0.5);
const range = z
  .tuple([z.number().nonnegative(), z.number().nonnegative()])
  .refine(([low, high]) => low <= high, 'the range is upside down');
const factors = range.refine(([low]) => low > 0, 'a factor has to be above 0');

/** Maximum number of wedges or rectangles per image. */
const several = z.int().min(1).max(20);

/** Single augmentations, in the order in which they are applied. */
export const augmentSchema = z.strictObject({
  /** Probability of mirroring. */
  flip: fraction.optional(),
  /** Rotates by at most this many degrees either way. */
  rotate: z.strictObject({ chance, most: z.number().min(0).max(180).default(10) }).optional(),
  /** Shifts the bottom against the top by at most this fraction of the height. */
  shear: z.strictObject({ chance, most: fraction.default(0.1) }).optional(),
  /** Range of the factor on the aspect ratio (width over height). */
  stretch: z.strictObject({ chance, factor: factors.default([0.8, 1.25]) }).optional(),
  /** Range of the scale factor: above 1 enlarges, which may cut off objects. */
  zoom: z.strictObject({ chance, factor: factors.default([0.8, 1.5]) }).optional(),
  /** Shifts by at most this fraction of each side. */
  shift: z.strictObject({ chance, most: fraction.default(0.1) }).optional(),
  /** Fraction of each object that the five transforms above keep in view. Default: 0.25. */
  keep: fraction.optional(),
  /** Range of the factor on each side. */
  resize: factors.optional(),
  /** Crops to a window that contains all objects. */
  crop: z.strictObject({ chance, smallest: fraction.default(0.6) }).optional(),
  /** Adds black margins of at most this fraction of each side. */
  pad: z.strictObject({ chance, most: fraction.default(0.2) }).optional(),
  /** Downsamples to at least this fraction of each side and upsamples again. */
  resolution: z.strictObject({ chance, smallest: fraction.min(0.05).default(0.5) }).optional(),
  /** Gaussian blur with a standard deviation of at most this many pixels. */
  soften: z.strictObject({ chance, most: z.number().min(0).max(20).default(1.5) }).optional(),
  /** Range of the factor on brightness. */
  gain: range.optional(),
  /** Range of the factor on the displayed dynamic range: below 1, weak echoes turn black. */
  dynamicRange: z.strictObject({ chance, factor: factors.default([0.75, 1.2]) }).optional(),
  /** Range of the exponent on grey levels between 0 and 1. */
  gamma: z.strictObject({ chance, exponent: factors.default([0.7, 1.4]) }).optional(),
  /** Gain along depth in dB: a slope, and sliders of a time-gain compensation, each at most this much either way. */
  attenuation: z
    .strictObject({ chance, slope: z.number().min(0).max(60).default(6), bands: z.number().min(0).max(20).default(0) })
    .optional(),
  /** Dark wedges (acoustic shadows). */
  shadow: z
    .strictObject({
      chance,
      most: several.default(1),
      factor: range.refine(([, high]) => high <= 1, 'a shadow darkens: at most 1').default([0.25, 0.75]),
    })
    .optional(),
  /** Bright wedges (acoustic enhancement). */
  enhancement: z
    .strictObject({
      chance,
      most: several.default(1),
      factor: range.refine(([low]) => low >= 1, 'an enhancement brightens: at least 1').default([1.2, 1.6]),
    })
    .optional(),
  /** Maximum standard deviation of multiplicative noise: white, or with grains of a width in the given range of pixels. */
  speckle: z
    .union([
      fraction,
      z.strictObject({
        most: fraction.default(0.2),
        grain: range.refine(([low, high]) => low >= 1 && high <= 20, 'grains are 1 to 20 pixels wide').default([1, 4]),
      }),
    ])
    .optional(),
  /** Maximum standard deviation, in pixels, of a blur that grows with depth. */
  blur: z.number().min(0).max(20).optional(),
  /**
   * Fills rectangles, each of this fraction of the image, with noise, or with the image's mean plus noise of its standard
   * deviation.
   */
  erase: z
    .strictObject({
      chance,
      area: range.default([0.02, 0.15]),
      /** Maximum number of rectangles. Default: 1. */
      most: several.optional(),
      fill: z.enum(['noise', 'own']).optional(),
      /** Fraction of an object's box that a rectangle may hide; rectangles that hide more are skipped. Default: 1. */
      hide: fraction.optional(),
    })
    .optional(),
});
