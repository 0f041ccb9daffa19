/** What a rectangle is filled with: grey noise of all levels, or the image's own mean with noise of its own spread. */
export type Fill = 'noise' | 'own';

/** Both ends count. */
export type Range = readonly [low: number, high: number];

/**
 * Named augmentations with their ranges; an absent one does nothing. They are applied in the order of this list, all that move the
 * image (down to `crop`) in one resampling, and all that change its brightness (`gain` to `speckle`) in one pass.
 */
export interface Augmentations {
  /** Chance that the image, its masks and "left" and "right" in its phrases are mirrored. */
  readonly flip?: number | undefined;
  /** Turns about the middle by at most so many degrees either way: a probe that is tilted. */
  readonly rotate?: { readonly chance: number; readonly most: number } | undefined;
  /** Shifts the bottom sideways against the top, by at most this share of the height either way: a steered beam. */
  readonly shear?: { readonly chance: number; readonly most: number } | undefined;
  /** Range of the factor on width over height, the area staying the same: tissue under the probe's pressure. */
  readonly stretch?: { readonly chance: number; readonly factor: Range } | undefined;
  /** Range of the factor on size: above 1 a part is enlarged, which may cut objects (see `keep`); below 1 black borders are added. */
  readonly zoom?: { readonly chance: number; readonly factor: Range } | undefined;
  /** Shifts by at most this share of each side either way. */
  readonly shift?: { readonly chance: number; readonly most: number } | undefined;
  /** Share of each object's area that rotate, shear, stretch, zoom and shift together leave in view. Default: 0.25. */
  readonly keep?: number | undefined;
  /** Range of the factor by which each side is resized, drawn for each side on its own. */
  readonly resize?: Range | undefined;
  /** Cuts a window out that keeps every object whole; each side keeps at least the share `smallest`. */
  readonly crop?: { readonly chance: number; readonly smallest: number } | undefined;
  /** Adds black borders, each at most the share `most` of its side. */
  readonly pad?: { readonly chance: number; readonly most: number } | undefined;
  /** Reduces to a share of each side, at least `smallest`, and enlarges again: a coarser scanner. */
  readonly resolution?: { readonly chance: number; readonly smallest: number } | undefined;
  /** Blurs evenly by at most `most` pixels (standard deviation): pictures that were compressed or enlarged. */
  readonly soften?: { readonly chance: number; readonly most: number } | undefined;
  /** Range of the factor on brightness. */
  readonly gain?: Range | undefined;
  /** Range of the factor on the range of echoes, in dB, that is shown from black to white: below 1, weak echoes turn black. */
  readonly dynamicRange?: { readonly chance: number; readonly factor: Range } | undefined;
  /** Range of the exponent on grey levels between 0 and 1: below 1 lifts the dark ones, above 1 deepens them (grey maps). */
  readonly gamma?: { readonly chance: number; readonly exponent: Range } | undefined;
  /**
   * Gain along depth in dB of grey level (6 dB: twice as bright): a slope of at most `slope` either way from top to bottom, which
   * leaves the middle as it is, and a time-gain compensation whose sliders are off by at most `bands` either way.
   */
  readonly attenuation?: { readonly chance: number; readonly slope: number; readonly bands: number } | undefined;
  /** At most `most` wedges that begin at a random depth and are darkened by a factor below 1: bone, gas, calcification. */
  readonly shadow?: Wedges | undefined;
  /** The same brightened by a factor above 1: what lies behind a cyst. */
  readonly enhancement?: Wedges | undefined;
  /** Largest standard deviation of multiplicative noise, white, or with the range of its grains' width in pixels. */
  readonly speckle?: number | { readonly most: number; readonly grain: Range } | undefined;
  /** Largest standard deviation in pixels of a blur that grows from nothing at the probe (the top) to this at the bottom. */
  readonly blur?: number | undefined;
  /** Fills rectangles. Masks and boxes stay. */
  readonly erase?: Erasing | undefined;
}

/** Wedges of other brightness. */
interface Wedges {
  readonly chance: number;
  readonly most: number;
  readonly factor: Range;
}

/** Rectangles to be filled. */
export interface Erasing {
  readonly chance: number;
  /** Range of a rectangle's share of the image. */
  readonly area: Range;
  /** Rectangles at most. Default: 1. */
  readonly most?: number | undefined;
  /** Default: `noise`. */
  readonly fill?: Fill | undefined;
  /** Share of an object's box that a rectangle may hide at most; one that would hide more is left out. Default: 1. */
  readonly hide?: number | undefined;
}
