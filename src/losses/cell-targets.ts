import { tf } from '../backend/index.js';
import { type BinaryMask, maskArea } from '../imaging/index.js';
import { assertShape, SonogroundError } from '../util/index.js';
import type { DetectionTarget } from './target.js';

/** Height and width of a grid of cells. */
type Grid = readonly [height: number, width: number];

/** Logits [B, S, T] of all cells of the encoder. */
export interface CellOutputs {
  readonly logits: tf.Tensor3D;
  /** Sizes of the levels, whose cells are in order. */
  readonly spatialShapes: readonly Grid[];
}

/** An image without padding. */
const WHOLE = [1, 1] as const;

/**
 * How far each cell shows an object of each token's phrase.
 *
 * @returns [B, S, T] f32 in [0, 1].
 * @throws SonogroundError when an image has another number of masks than objects, or the levels another number of cells.
 */
export function cellTargets({ logits, spatialShapes }: CellOutputs, targets: readonly DetectionTarget[]): tf.Tensor3D {
  const [b, s, t] = logits.shape;
  const wanted = new Float32Array(b * s * t);
  for (const [i, { tokens, masks = [], extent = WHOLE }] of targets.entries()) {
    const where = `target of image ${i}`;
    if (masks.length !== tokens.length)
      throw new SonogroundError({
        code: 'E_SHAPE',
        where,
        what: `${masks.length} masks, but tokens of ${tokens.length} objects`,
      });
    for (const [object, mask] of masks.entries()) {
      const shown = cellsShowing(mask, extent, spatialShapes);
      assertShape({ shape: [shown.length] }, [s], `${where}: cells`);
      for (const token of tokens[object] as readonly number[])
        for (let cell = 0; cell < s; cell++) {
          const at = (i * s + cell) * t + token;
          wanted[at] = Math.max(wanted[at] as number, shown[cell] as number);
        }
    }
  }
  return tf.tensor3d(wanted, [b, s, t]);
}

/**
 * How far each cell shows an object: the area of their overlap, divided by that of the smaller of the two. It is 1 for a cell that
 * lies inside the object, and for one that contains it.
 *
 * @param mask - on the image's own grid.
 * @param extent - width and height of the image as fractions of the area that the grids cover; less than 1 with padding.
 * @param grids - the levels.
 * @returns [S] in [0, 1], the levels in order, each row by row; zeros for an empty mask.
 */
function cellsShowing(mask: BinaryMask, extent: readonly [number, number], grids: readonly Grid[]): Float32Array {
  const { width, height, data } = mask;
  const size = grids.reduce((sum, [h, w]) => sum + h * w, 0);
  const shares = new Float32Array(size);
  const object = maskArea(mask);
  if (object === 0) return shares;
  let first = 0;
  for (const [h, w] of grids) {
    // A pixel counts for the cell that its centre lies in.
    const [perColumn, perRow] = [(w * extent[0]) / width, (h * extent[1]) / height];
    const column = Int32Array.from({ length: width }, (_, x) => Math.min(Math.floor((x + 0.5) * perColumn), w - 1));
    for (let y = 0; y < height; y++) {
      const row = first + Math.min(Math.floor((y + 0.5) * perRow), h - 1) * w;
      for (let x = 0; x < width; x++) {
        const cell = row + (column[x] as number);
        if ((data[y * width + x] as number) > 0) shares[cell] = (shares[cell] as number) + 1;
      }
    }
    const smaller = Math.min(1 / (perColumn * perRow), object);
    for (let i = first; i < first + h * w; i++) shares[i] = Math.min((shares[i] as number) / smaller, 1);
    first += h * w;
  }
  return shares;
}
