import { DataError } from '../../util/index.js';
import type { Affine, NiftiHeader } from './nifti-header.js';

/** Orientation of a volume relative to another: for each axis of the other, its own axis and whether that is reversed. */
export interface GridTurn {
  readonly axes: readonly [0 | 1 | 2, 0 | 1 | 2, 0 | 1 | 2];
  readonly flipped: readonly [boolean, boolean, boolean];
}

/**
 * Voxels by which the corners of two equal grids may differ. Rounding (of a single-precision quaternion, or of an origin with
 * three decimals) stays far below; a difference visible in a mask is a half.
 */
const SAME = 0.25;

const WAYS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/**
 * Determines the orientation of labels relative to their image from both headers. Labels that differ only in axis order or
 * direction can be reoriented. If either header has no orientation, labels are used as stored.
 *
 * @param where - name of the labels in errors.
 * @throws DataError when they do not align: shifted, rotated, or on another grid.
 */
export function turnOver(image: NiftiHeader, labels: NiftiHeader, where: string): GridTurn {
  for (const axes of WAYS) {
    if (!axes.every((own, i) => labels.shape[own] === image.shape[i])) continue;
    if (image.affine === undefined || labels.affine === undefined) {
      if (axes === WAYS[0]) return { axes, flipped: [false, false, false] };
      continue;
    }
    for (let signs = 0; signs < 8; signs++) {
      const flipped = [0, 1, 2].map((i) => (signs & (1 << i)) !== 0) as [boolean, boolean, boolean];
      if (fits(image, labels, { axes, flipped })) return { axes, flipped };
    }
  }
  const [own, other] = [labels.shape.join(' x '), image.shape.join(' x ')];
  if ([...labels.shape].sort().join() !== [...image.shape].sort().join())
    throw new DataError({
      code: 'E_MASK_SIZE',
      where,
      what: `the labels are ${own} voxels, their volume is ${other}`,
      fix: 'Resample the labels to their image',
    });
  throw new DataError({
    code: 'E_MASK_SIZE',
    where,
    what: `the labels lie elsewhere than their volume by what the headers say: from ${placeOf(labels)}, the volume from ${placeOf(image)}`,
    fix: 'Resample the labels to their image, or copy its header if they are drawn on it',
  });
}

/** Whether the corners of both grids coincide. */
function fits(image: NiftiHeader, labels: NiftiHeader, { axes, flipped }: GridTurn): boolean {
  const [a, b] = [image.affine as Affine, labels.affine as Affine];
  // Shifts are measured in the smallest voxel side, to be isotropic.
  const sides = [0, 1, 2].map((i) => Math.hypot(...a.map((row) => row[i] as number)));
  const side = Math.min(...sides.filter((_side, i) => image.shape[i] !== 1));
  if (!(side > 0)) return false;
  for (let corner = 0; corner < 8; corner++) {
    const at = [0, 1, 2].map((i) => (corner & (1 << i) ? (image.shape[i] as number) - 1 : 0));
    const own = [0, 0, 0];
    for (const [i, k] of axes.entries())
      own[k] = flipped[i] ? (labels.shape[k] as number) - 1 - (at[i] as number) : (at[i] as number);
    const apart = a.map((row, k) => place(row, at) - place(b[k] as Affine[number], own));
    if (!(Math.hypot(...apart) <= SAME * side)) return false;
  }
  return true;
}

function place([x, y, z, shift]: Affine[number], [i = 0, j = 0, k = 0]: readonly number[]): number {
  return x * i + y * j + z * k + shift;
}

/** First and last voxel in millimetres, for a message. */
function placeOf({ affine, shape }: NiftiHeader): string {
  const text = (at: readonly number[]) => `[${(affine ?? []).map((row) => Number(place(row, at).toFixed(2))).join(', ')}]`;
  return `${text([0, 0, 0])} to ${text(shape.map((n) => n - 1))} mm`;
}
