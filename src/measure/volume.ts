/** The axes of a structure in one plane, as `MaskMeasures` has them. */
export interface PlaneAxes {
  readonly longAxis: { readonly mm: number };
  readonly shortAxis: { readonly mm: number };
}

/** The volume of a structure by the ellipsoid formula. */
export interface EllipsoidVolume {
  readonly ml: number;
  /** Length, from the first plane; width and height, from the second. */
  readonly diametersMm: readonly [length: number, width: number, height: number];
  /**
   * The diameter that both planes show, in the first over that in the second: 1 if the planes are through the same structure at right
   * angles.
   */
  readonly agreement: number;
}

const MM3_PER_ML = 1000;

/**
 * Volume by the ellipsoid formula, π / 6 x length x width x height, from two planes at right angles: the length is the long axis of
 * the first (longitudinal) plane, width and height are the axes of the second (transverse) one. The short axis of the first plane
 * is one of these two again, and serves as a check.
 */
export function ellipsoidVolume(longitudinal: PlaneAxes, transverse: PlaneAxes): EllipsoidVolume {
  const length = longitudinal.longAxis.mm;
  const [width, height] = [transverse.longAxis.mm, transverse.shortAxis.mm];
  const again = longitudinal.shortAxis.mm;
  const [toWidth, toHeight] = [again / width, again / height];
  const agreement = Math.abs(Math.log(toWidth)) < Math.abs(Math.log(toHeight)) ? toWidth : toHeight;
  return { ml: ((Math.PI / 6) * length * width * height) / MM3_PER_ML, diametersMm: [length, width, height], agreement };
}
