/** The numbers of a picture as a file has them, row-major, the channels of a pixel together. */
export interface ImageSamples {
  readonly width: number;
  readonly height: number;
  /** Grey (1) or red, green, blue (3), and transparency after them where there is any. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly values: SampleValues;
  /** Compression has changed the numbers: equal ones have become alike. */
  readonly lossy: boolean;
  /** The file calls its 0 white, and the numbers here are those that are shown: the other way round than they are stored. */
  readonly whiteFirst?: boolean;
}

/** Numbers of any depth. */
export type SampleValues =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;
