import { DataError } from '../../util/index.js';
import type { RasterImage } from '../raster-image.js';
import type { NiftiHeader } from './nifti-header.js';
import type { GridTurn } from './nifti-turn.js';

/** A slice of a volume. */
export interface VolumeSlice {
  readonly width: number;
  readonly height: number;
  /** 3 if the volume is RGB or RGBA (whose transparency is dropped). */
  readonly channels: 1 | 3;
  /** Row-major, interleaved channels, `slope` and `intercept` applied. */
  readonly values: Float32Array;
  /** Millimetres between columns and between rows; 0 if the file does not state them. */
  readonly spacingMm: readonly [across: number, down: number];
}

/** Selects a slice. */
export interface SliceAddress {
  /** The stored axis perpendicular to the slice. Default: 2, the third. */
  readonly axis?: 0 | 1 | 2;
  /** Index along that axis, from 0. */
  readonly index: number;
  /** Index along the fourth dimension, from 0: a time point or a channel. Default: 0. */
  readonly frame?: number;
  /** Interprets axes and indices relative to another volume, with this orientation. Default: its own. */
  readonly turn?: GridTurn | undefined;
}

/** Minimum and maximum of a volume, and whether all values are integers. */
export interface VolumeRange {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const UPRIGHT: GridTurn = { axes: [0, 1, 2], flipped: [false, false, false] };

/** Stored values, indexed by offset. */
type Numbers = ArrayLike<number> | ArrayLike<bigint>;

/**
 * A volume of ultrasound or of labels. The stored values are held in memory once, as in the file; a slice is converted on demand.
 *
 * Axes are the stored ones: axis 0 varies fastest. In a slice along axis 2, columns run along axis 0 and rows along axis 1
 * (nibabel's `volume[:, :, k].T`); along axis 1, they run along 0 and 2; along axis 0, along 1 and 2. Nothing is reoriented:
 * {@link NiftiHeader.orientation} gives the direction of the axes.
 */
export class NiftiVolume {
  readonly file: string;
  readonly header: NiftiHeader;
  private readonly numbers: Numbers;
  private known: VolumeRange | undefined;

  constructor(file: string, header: NiftiHeader, numbers: Numbers) {
    this.file = file;
    this.header = header;
    this.numbers = numbers;
  }

  /** Number of slices along an axis. */
  slices(axis: 0 | 1 | 2 = 2): number {
    return this.header.shape[axis];
  }

  /** @throws DataError naming the file when there is no such slice. */
  slice({ axis = 2, index, frame = 0, turn = UPRIGHT }: SliceAddress): VolumeSlice {
    const { frames, kind, slope, intercept } = this.header;
    const shape = turn.axes.map((own) => this.header.shape[own]) as [number, number, number];
    const spacingMm = turn.axes.map((own) => this.header.spacingMm[own]) as [number, number, number];
    this.check(`slice ${index} across axis ${axis}`, index, shape[axis]);
    this.check(`frame ${frame}`, frame, frames);
    const [across, down] = ([0, 1, 2] as const).filter((other) => other !== axis) as [0 | 1 | 2, 0 | 1 | 2];
    const [nx, ny, nz] = this.header.shape;
    const own = [1, nx, nx * ny].map((n) => n * kind.channels);
    const strides = turn.axes.map((k, i) => (own[k] as number) * (turn.flipped[i] ? -1 : 1)) as [number, number, number];
    // A reversed axis starts at its end.
    const origin = strides.reduce((sum, stride, i) => sum + (stride < 0 ? -stride * ((shape[i] as number) - 1) : 0), 0);
    const start = frame * nx * ny * nz * kind.channels + origin + index * strides[axis];
    const [width, height] = [shape[across], shape[down]];
    const channels = kind.channels === 1 ? 1 : 3;
    const values = new Float32Array(width * height * channels);
    for (let y = 0, to = 0; y < height; y++) {
      for (let x = 0, at = start + y * strides[down]; x < width; x++, at += strides[across])
        for (let c = 0; c < channels; c++) values[to++] = Number(this.numbers[at + c]) * slope + intercept;
    }
    return { width, height, channels, values, spacingMm: [spacingMm[across], spacingMm[down]] };
  }

  /** The range of all voxels, computed once. Non-finite values are ignored. */
  range(): VolumeRange {
    if (this.known !== undefined) return this.known;
    const { slope, intercept } = this.header;
    let [min, max, whole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
    for (let i = 0; i < this.numbers.length; i++) {
      const value = Number(this.numbers[i]) * slope + intercept;
      if (!Number.isFinite(value)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
      if (whole && !Number.isInteger(value)) whole = false;
    }
    this.known = min > max ? { min: 0, max: 0, whole: true } : { min, max, whole };
    return this.known;
  }

  /**
   * Converts a slice to an image. Integers from 0 to 255 (8-bit images, labels) are unchanged; otherwise values are scaled from
   * the volume's minimum to its maximum, equally for all slices.
   */
  image(address: SliceAddress): RasterImage {
    const { width, height, channels, values } = this.slice(address);
    const { min, max, whole } = this.range();
    const asIs = channels === 3 || (whole && min >= 0 && max <= 255);
    const span = max > min ? max - min : Number.POSITIVE_INFINITY;
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      // A Uint8Array stores NaN as 0.
      const level = asIs ? value : Math.round(((Math.min(max, Math.max(min, value)) - min) * 255) / span);
      if (channels === 3) data[i] = level;
      else data.fill(level, i * 3, i * 3 + 3);
    }
    return { width, height, data };
  }

  private check(what: string, index: number, count: number): void {
    if (Number.isInteger(index) && index >= 0 && index < count) return;
    const fix = count === 1 ? 'There is one, number 0' : `They are numbered 0 to ${count - 1}`;
    throw new DataError({ code: 'E_FRAME_NOT_FOUND', where: this.file, what: `there is no ${what}`, fix });
  }
}
