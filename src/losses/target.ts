/** The ground truth of one image. */
export interface DetectionTarget {
  /** Centre and size of each object, as fractions of the image. */
  readonly boxesCxcywh: readonly (readonly [number, number, number, number])[];
  /** For each object, the tokens of its phrase, as positions in the prompt of its own image. */
  readonly tokens: readonly (readonly number[])[];
}
