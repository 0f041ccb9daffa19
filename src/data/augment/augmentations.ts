/** Fill of a rectangle: uniform grey noise, or noise with the image's own mean and standard deviation. */
export type Fill = 'noise' | 'own';

/** Both ends inclusive. */
export type Range = readonly [low: number, high: number];

/**
 * Augmentations with their ranges; an absent one is off. They are applied in the order of this list: all geometric ones (down to
 * `crop`) in one resampling, all intensity ones (`gain` to `speckle`) in one pass.
 */
export interface Augmentations {
  /** Probability of mirroring the image, its masks and "left" and "right" in its phrases. */
  readonly flip?: number | undefined;
  /** Rotates about the centre by at most this many degrees either way, as a tilted probe does. */
  readonly rotate?: { readonly chance: number; readonly most: number } | undefined;
  /** Shifts the bottom sideways against the top by at most this fraction of the height either way, as beam steering does. */
  readonly shear?: { readonly chance: number; readonly most: number } | undefined;
  /** Range of the factor on width over height at constant area: tissue compressed by the probe. */
  readonly stretch?: { readonly chance: number; readonly factor: Range } | undefined;
  /** Range of the scale factor: above 1 enlarges, which may cut objects (see `keep`); below 1 adds black borders. */
  readonly zoom?: { readonly chance: number; readonly factor: Range } | undefined;
  /** Shifts by at most this fraction of each side either way. */
  readonly shift?: { readonly chance: number; readonly most: number } | undefined;
  /** Fraction of each object's area that rotate, shear, stretch, zoom and shift together keep in view. Default: 0.25. */
  readonly keep?: number | undefined;
  /** Range of the resize factor, drawn independently for each side. */
  readonly resize?: Range | undefined;
  /** Crops to a window that keeps every object whole; each side keeps at least the fraction `smallest`. */
  readonly crop?: { readonly chance: number; readonly smallest: number } | undefined;
  /** Adds black borders, each at most the fraction `most` of its side. */
  readonly pad?: { readonly chance: number; readonly most: number } | undefined;
  /** Downsamples each side to a fraction of at least `smallest` and upsamples again: a coarser scanner. */
  readonly resolution?: { readonly chance: number; readonly smallest: number } | undefined;
  /** Gaussian blur with a standard deviation of at most `most` pixels: compressed or enlarged images. */
  readonly soften?: { readonly chance: number; readonly most: number } | undefined;
  /** Range of the factor on brightness. */
  readonly gain?: Range | undefined;
  /** Range of the factor on the dynamic range (in dB, black to white): below 1, weak echoes turn black. */
  readonly dynamicRange?: { readonly chance: number; readonly factor: Range } | undefined;
  /** Range of the exponent on grey levels in [0, 1]: below 1 lifts the dark ones, above 1 deepens them (grey maps). */
  readonly gamma?: { readonly chance: number; readonly exponent: Range } | undefined;
  /**
   * Gain along depth in dB of grey level (6 dB: twice as bright): a slope of at most `slope` either way from top to bottom,
   * neutral in the middle, and a time-gain compensation whose sliders are off by at most `bands` either way.
   */
  readonly attenuation?: { readonly chance: number; readonly slope: number; readonly bands: number } | undefined;
  /** At most `most` wedges that start at a random depth and are darkened by a factor below 1: bone, gas, calcification. */
  readonly shadow?: Wedges | undefined;
  /** Wedges brightened by a factor above 1: posterior enhancement behind a cyst. */
  readonly enhancement?: Wedges | undefined;
  /** Maximum standard deviation of multiplicative noise: white, or correlated with the given range of grain widths in pixels. */
  readonly speckle?: number | { readonly most: number; readonly grain: Range } | undefined;
  /** Maximum standard deviation in pixels of a blur that grows linearly from 0 at the probe (top) to this at the bottom. */
  readonly blur?: number | undefined;
  /** Fills rectangles. Masks and boxes are unaffected. */
  readonly erase?: Erasing | undefined;
}

/** Wedges of changed brightness. */
interface Wedges {
  readonly chance: number;
  readonly most: number;
  readonly factor: Range;
}

/** Rectangles to fill. */
export interface Erasing {
  readonly chance: number;
  /** Range of a rectangle's fraction of the image area. */
  readonly area: Range;
  /** Maximum number of rectangles. Default: 1. */
  readonly most?: number | undefined;
  /** Default: `noise`. */
  readonly fill?: Fill | undefined;
  /** Maximum fraction of an object's box that a rectangle may cover; rectangles that would cover more are skipped. Default: 1. */
  readonly hide?: number | undefined;
}
