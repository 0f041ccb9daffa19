import { type GridTurn, type NiftiHeader, type NiftiVolume, readNiftiHeader, turnOver } from '../../../imaging/index.js';
import { DataError } from '../../../util/index.js';
import type { MaskReading } from '../types.js';
import { openVolume } from '../volumes.js';

/** How the labels of a volume are read. */
export interface LabelPlan {
  readonly slices: number;
  /** Time points that are labelled. */
  readonly times: number;
  readonly turn: GridTurn;
  /** What shows objects at a time point: volumes of the labels, and what their values mean. */
  readonly channels: (time: number) => readonly { readonly frame?: number; readonly read: MaskReading }[];
}

/** What a dataset says about its labels. */
export interface LabelRule {
  readonly read: MaskReading;
  readonly frame?: number;
  readonly placed: 'as-stored' | 'by-header';
}

const UPRIGHT: GridTurn = { axes: [0, 1, 2], flipped: [false, false, false] };

/**
 * Decides what the labels of a volume mean. The fourth dimension of an image is time. Labels with as many volumes go with it
 * volume by volume; several volumes of labels over one of the image are channels, one for each class, if every voxel is in
 * exactly one of them: the first, the background, is no object.
 *
 * @throws DataError naming the labels where they fit the volume in no such way.
 */
export async function planLabels(image: string, labels: string, rule: LabelRule): Promise<LabelPlan> {
  const [own, other] = await Promise.all([readNiftiHeader(image), readNiftiHeader(labels)]);
  const turn = rule.placed === 'as-stored' ? storedTurn(own, other, labels) : turnOver(own, other, labels);
  const plan = { slices: own.shape[2], times: 1, turn };
  const { read, frame } = rule;
  if (frame !== undefined) return { ...plan, channels: () => [{ frame, read }] };
  if (own.frames === 1 && other.frames === 1) return { ...plan, channels: () => [{ read }] };
  const refuse = (what: string, fix: string): never => {
    throw new DataError({ code: 'E_MASK_SIZE', where: labels, what, fix });
  };
  if (own.beyondFourth || other.beyondFourth)
    refuse('it or its volume has more than four dimensions', 'Export volumes of three dimensions, or of time points');
  if (other.frames === 1)
    return refuse(
      `it labels one volume, and its image has ${own.frames} time points`,
      'Say which is labelled: export that time point, or labels for all of them',
    );
  const oneHot = isOneHot(await openVolume(labels));
  if (own.frames === other.frames && !oneHot) return { ...plan, times: own.frames, channels: (time) => [{ frame: time, read }] };
  if (own.frames !== 1 || !oneHot)
    return refuse(
      `it holds ${other.frames} volumes of labels over ${own.frames} of its image, ${oneHot ? 'in each place one of them' : 'and not in each place one of them'}`,
      'Export labels in three dimensions, as class numbers',
    );
  return { ...plan, channels: () => classChannels(other.frames, read) };
}

/** Labels as they are stored, which must be in the shape of their volume. */
function storedTurn(image: NiftiHeader, labels: NiftiHeader, where: string): GridTurn {
  const [a, b] = [image.shape.join(' x '), labels.shape.join(' x ')];
  if (a === b) return UPRIGHT;
  throw new DataError({ code: 'E_MASK_SIZE', where, what: `the labels are ${b} voxels, their volume is ${a}` });
}

/** Channels after the background's, the k-th showing class k. */
function classChannels(count: number, read: MaskReading): { readonly frame: number; readonly read: MaskReading }[] {
  return Array.from({ length: count - 1 }, (_, i) => {
    if (read.as !== 'values') return { frame: i + 1, read };
    const name = read.classes[i + 1];
    // A class without a name is refused where it shows something.
    return { frame: i + 1, read: name === undefined ? { as: 'values', classes: {} } : { as: 'bright', class: name } };
  });
}

/**
 * Whether each voxel is in exactly one of the volumes, and the first holds more than any other.
 *
 * @throws DataError where one of the others holds more than the first: then it cannot be told which is the background.
 */
function isOneHot(volume: NiftiVolume): boolean {
  const { frames, shape } = volume.header;
  const voxels = Array.from({ length: frames }, () => 0);
  for (let index = 0; index < shape[2]; index++) {
    const planes = voxels.map((_, frame) => volume.slice({ index, frame }).values);
    for (let i = 0; i < shape[0] * shape[1]; i++) {
      let inside = -1;
      for (const [frame, plane] of planes.entries()) {
        const value = plane[i] as number;
        if (value === 0) continue;
        if (inside >= 0 || value !== 1) return false;
        inside = frame;
      }
      if (inside < 0) return false;
      voxels[inside] = (voxels[inside] as number) + 1;
    }
  }
  const [background = 0, ...classes] = voxels;
  if (classes.every((count) => count <= background)) return true;
  throw new DataError({
    code: 'E_MASK_VALUE',
    where: volume.file,
    what: `in each place one of its ${frames} volumes is 1, and the first, which would be the background, is not the largest (voxels: ${voxels.join(', ')})`,
    fix: 'Put the background first, or export class numbers in three dimensions',
  });
}
