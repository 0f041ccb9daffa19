import { gzipSync } from 'node:zlib';

/** A volume of labels: 0 outside, one number for each structure. */
export interface LabelVolume {
  /** Columns, rows, slices or frames. */
  readonly shape: readonly [number, number, number];
  /** Columns fastest, then rows, then slices. */
  readonly labels: Uint8Array;
  /** Where its voxels are. Default: one unit between columns, rows and slices, from the origin. */
  readonly place?: VolumePlace | undefined;
}

/** Place of a volume in the patient, to the left, posterior and superior (LPS), in millimetres. */
export interface VolumePlace {
  /** The step from a column, row and slice to the next. */
  readonly directions: readonly [Step, Step, Step];
  /** The centre of the first voxel. */
  readonly origin: Step;
}

type Step = readonly [left: number, posterior: number, superior: number];

const AT_ORIGIN: VolumePlace = {
  directions: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  origin: [0, 0, 0],
};

/**
 * Encodes a volume of labels as NRRD, the format of 3D Slicer.
 *
 * @param compress - by gzip. Default: false.
 * @see https://teem.sourceforge.net/nrrd/format.html
 */
export function encodeNrrd({ shape, labels, place = AT_ORIGIN }: LabelVolume, { compress = false } = {}): Buffer {
  if (labels.length !== shape[0] * shape[1] * shape[2])
    throw new RangeError(`encodeNrrd: ${labels.length} labels for ${shape.join(' x ')} voxels`);
  const vector = (step: Step) => `(${step.join(',')})`;
  const head = [
    'NRRD0004',
    'type: uint8',
    'dimension: 3',
    'space: left-posterior-superior',
    `sizes: ${shape.join(' ')}`,
    `space directions: ${place.directions.map(vector).join(' ')}`,
    'kinds: domain domain domain',
    `encoding: ${compress ? 'gzip' : 'raw'}`,
    `space origin: ${vector(place.origin)}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\n')}\n\n`, 'latin1'), compress ? gzipSync(labels) : labels]);
}
