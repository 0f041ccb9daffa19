import type { tf } from '../../backend/index.js';
import { assertShape, SonogroundError } from '../../util/index.js';

/** Prompts for masks, in pixels of the model's input. */
export interface Prompts {
  /** [B, N, 4] f32: left, top, right, bottom. */
  readonly boxes?: tf.Tensor3D | undefined;
  /** [B, N, P, 2] f32: x, y. */
  readonly points?: tf.Tensor4D | undefined;
  /** [B, N, P] i32: 1 inside, 0 outside, -1 no point, -10 padding. */
  readonly labels?: tf.Tensor3D | undefined;
}

/**
 * Checks that prompts are consistent with each other and with the images.
 *
 * @param images - number of images.
 * @throws SonogroundError when a shape is wrong, the numbers of boxes and of sets of points differ, or points have no labels.
 */
export function checkPrompts({ boxes, points, labels }: Prompts, images: number, where: string): void {
  if ((points === undefined) !== (labels === undefined)) {
    throw new SonogroundError({
      code: 'E_PROMPT_INVALID',
      where,
      what: 'points and labels come together',
      fix: 'Give each point a label: 1 inside, 0 outside',
    });
  }
  if (boxes) assertShape(boxes, [images, null, 4], `${where} boxes`);
  if (points) assertShape(points, [images, null, null, 2], `${where} points`);
  if (labels && points) assertShape(labels, points.shape.slice(0, 3), `${where} labels`);
  if (boxes && points && boxes.shape[1] !== points.shape[1]) {
    throw new SonogroundError({
      code: 'E_PROMPT_INVALID',
      where,
      what: `expected as many boxes as sets of points, got ${boxes.shape[1]} and ${points.shape[1]}`,
      fix: 'Pad points with label -10',
    });
  }
}
