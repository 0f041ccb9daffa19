import { type GridTurn, type NiftiHeader, type NiftiVolume, readNiftiHeader, turnOver } from '../../../imaging/index.js';
import { DataError } from '../../../util/index.js';
import type { MaskReading } from '../types.js';
import { openVolume } from '../volumes.js';

/** How to read the labels of a volume. */
export interface LabelPlan {
  readonly slices: number;
  /** Labelled time points. */
  readonly times: number;
  readonly turn: GridTurn;
  /** For a time point: the label volumes and the meaning of their values. */
  readonly channels: (time: number) => readonly { readonly frame?: number; readonly read: MaskReading }[];
}

/** A dataset's rules for its labels. */
export interface LabelRule {
  readonly read: MaskReading;
  readonly frame?: number;
  readonly placed: 'as-stored' | 'by-header';
}

const UPRIGHT: GridTurn = { axes: [0, 1, 2], flipped: [false, false, false] };

/**
 * Determines how to read the labels of a volume. The fourth dimension of an image is time. Labels with as many volumes match it
 * volume by volume; several label volumes over a single image volume are one-hot channels, one per class, if every voxel is in
 * exactly one of them. The first is the background, not an object.
 *
 * @throws DataError naming the labels if they fit the volume in none of these ways.
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

/** The identity for labels as stored, which must have the shape of their volume. */
function storedTurn(image: NiftiHeader, labels: NiftiHeader, where: string): GridTurn {
  const [a, b] = [image.shape.join(' x '), labels.shape.join(' x ')];
  if (a === b) return UPRIGHT;
  throw new DataError({ code: 'E_MASK_SIZE', where, what: `the labels are ${b} voxels, their volume is ${a}` });
}

/** Channels after the background; the k-th shows class k. */
function classChannels(count: number, read: MaskReading): { readonly frame: number; readonly read: MaskReading }[] {
  return Array.from({ length: count - 1 }, (_, i) => {
    if (read.as !== 'values') return { frame: i + 1, read };
    const name = read.classes[i + 1];
    // A class without a name is refused if it is not empty.
    return { frame: i + 1, read: name === undefined ? { as: 'values', classes: {} } : { as: 'bright', class: name } };
  });
}

/**
 * Whether each voxel is in exactly one of the volumes and the first one is the largest.
 *
 * @throws DataError if another volume is larger than the first: the background is then ambiguous.
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
