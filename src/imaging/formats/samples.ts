/** The stored values of an image, row-major, interleaved channels. */
export interface ImageSamples {
  readonly width: number;
  readonly height: number;
  /** Grey (1) or RGB (3), plus transparency if present. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly values: SampleValues;
  /** Whether lossy compression has altered the values: equal ones may differ slightly. */
  readonly lossy: boolean;
  /** Stored with 0 as white; the values here are inverted to their displayed form. */
  readonly whiteFirst?: boolean;
}

/** Values of any depth. */
export type SampleValues =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;
