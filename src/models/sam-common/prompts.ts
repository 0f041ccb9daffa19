import { tf } from '../../backend/index.js';
import { assertShape, SonogroundError } from '../../util/index.js';
import type { PositionEmbedding } from './position-embedding.js';

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

/** Labels that mark no point: one for "no more points", one for padding that is ignored altogether. */
const NOT_A_POINT = -1;
const PADDING = -10;

/** Rows of the embeddings for the corners of a box. */
const TOP_LEFT = 2;
const BOTTOM_RIGHT = 3;

/** Embeddings from which prompt tokens are computed. */
export interface TokenParts {
  readonly places: PositionEmbedding;
  /** [kinds, C] f32: outside, inside, top left corner, bottom right corner. */
  readonly marks: tf.Tensor;
  /** [1, C] f32: embedding of "not a point". */
  readonly notAPoint: tf.Tensor;
  /** Side length of the square image, in pixels. */
  readonly imageSize: number;
}

/**
 * One token per point: its position embedding plus the embedding of its label.
 *
 * @param points - [B, N, P, 2] f32: x, y in pixels.
 * @param labels - [B, N, P] i32.
 * @param options.lastMark - the largest label with an embedding; larger ones only have their position.
 * @param options.end - whether to append a "not a point" token.
 * @returns [B, N, P (+ 1), C] f32.
 */
export function pointTokens(
  points: tf.Tensor4D,
  labels: tf.Tensor3D,
  { places, marks, notAPoint, imageSize }: TokenParts,
  { lastMark, end }: { readonly lastMark: number; readonly end: boolean },
): tf.Tensor4D {
  const [b, n] = labels.shape;
  const middles = tf.add(points, 0.5); // pixel centres
  const at = end ? tf.concat([middles, tf.zeros([b, n, 1, 2])], 2) : middles;
  const kinds = tf.expandDims(end ? tf.concat([labels, tf.fill([b, n, 1], NOT_A_POINT, 'int32')], 2) : labels, -1); // [B, N, P, 1]
  const share = (condition: tf.Tensor) => tf.cast(condition, 'float32');
  const none = share(tf.equal(kinds, NOT_A_POINT));
  const placed = share(tf.logicalAnd(tf.notEqual(kinds, NOT_A_POINT), tf.notEqual(kinds, PADDING)));
  const marked = share(tf.logicalAnd(tf.greaterEqual(kinds, 0), tf.lessEqual(kinds, lastMark)));
  const embedded = tf.mul(places.forward(tf.div(at, imageSize)), placed);
  const known = tf.minimum(tf.maximum(kinds, tf.scalar(0, 'int32')), tf.scalar(lastMark, 'int32'));
  const mark = tf.gather(marks, tf.squeeze(known, [-1]) as unknown as tf.Tensor1D); // [B, N, P, C]
  return tf.addN([embedded, tf.mul(mark, marked), tf.mul(notAPoint, none)]) as tf.Tensor4D;
}

/**
 * Two tokens per box: its top left and bottom right corners.
 *
 * @param boxes - [B, N, 4] f32: left, top, right, bottom in pixels.
 * @returns [B, N, 2, C] f32.
 */
export function boxTokens(boxes: tf.Tensor3D, { places, marks, imageSize }: TokenParts): tf.Tensor4D {
  const [b, n] = boxes.shape;
  const corners = tf.div(tf.add(boxes, 0.5), imageSize).reshape([b, n, 2, 2]);
  return tf.add(places.forward(corners), marks.slice([TOP_LEFT, 0], [BOTTOM_RIGHT - TOP_LEFT + 1, -1]));
}
