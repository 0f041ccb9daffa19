import { tf } from '../../backend/index.js';
import type { Sample } from '../../data/index.js';
import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import { jitter } from './box-jitter.js';
import { truthTensor } from './mask-loss.js';

/** What marks the objects of a batch on their first frames. */
export type FirstPrompt = 'box' | 'click' | 'mask';

/** Shares of clicks and of given masks; the others are boxes, as of prompts by text. */
const CLICKS = 0.3;
const MASKS = 0.1;

/** An object of a clip, frame by frame. */
export interface FollowedObject {
  readonly images: readonly RasterImage[];
  /** Of every frame; empty where the object is not visible. */
  readonly masks: readonly BinaryMask[];
  readonly box: BoxXyxy;
  /** A pixel inside of its first mask. */
  readonly click: readonly [x: number, y: number];
}

/** Draws the kind of prompt of a batch: one kind, so that all its passes have the same shapes. */
export function drawPrompt(rng: Rng): FirstPrompt {
  const drawn = rng.uniform();
  if (drawn < CLICKS) return 'click';
  return drawn < CLICKS + MASKS ? 'mask' : 'box';
}

/** Whether a sample is a clip that shows an object on its first frame. */
export function isFollowable({ objects, later }: Sample): boolean {
  return objects.length > 0 && later !== undefined;
}

/**
 * Draws an object of a clip and how it is marked.
 *
 * @param rng - undefined for the first object, its own box and the middle of its pixels.
 */
export function followedObject({ image, objects, later = [] }: Sample, rng?: Rng): FollowedObject {
  const chosen = rng === undefined ? 0 : rng.int(objects.length);
  const { mask, boxXyxyPx } = objects[chosen] as Sample['objects'][number];
  const inside = [...mask.data.keys()].filter((i) => mask.data[i] !== 0);
  const pixel = inside[rng === undefined ? Math.floor(inside.length / 2) : rng.int(inside.length)] as number;
  return {
    images: [image, ...later.map((frame) => frame.image)],
    masks: [mask, ...later.map(({ masks }) => masks[chosen] as BinaryMask)],
    box: rng === undefined ? boxXyxyPx : jitter(boxXyxyPx, image, rng),
    click: [(pixel % mask.width) + 0.5, Math.floor(pixel / mask.width) + 0.5],
  };
}

/** A batch of objects as tensors. Rows are ordered by frame, then by object. */
export interface ClipTensors {
  /** [T * B, 1] f32: 1 where an object is visible. */
  readonly visible: tf.Tensor2D;
  /** [1, T * B, h, w] f32: 0 or 1, at the size of the model's masks. */
  readonly truth: tf.Tensor4D;
  /** [B, 1, P, 2] f32 and [B, 1, P] i32: a box is two points; absent for masks. */
  readonly points?: tf.Tensor4D;
  readonly labels?: tf.Tensor3D;
  /** [B, S, S, 1] f32: 0 or 1. */
  readonly masks?: tf.Tensor4D;
}

/** The images of a batch, in the order of its rows. */
export function framesOf(objects: readonly FollowedObject[]): RasterImage[] {
  return ordered(objects, ({ images }) => images);
}

function ordered<T>(objects: readonly FollowedObject[], of: (object: FollowedObject) => readonly T[]): T[] {
  const frames = objects[0]?.images.length ?? 0;
  return Array.from({ length: frames }, (_, t) => objects.map((object) => of(object)[t] as T)).flat();
}

/** Labels of a box's corners and of a click. */
const LABELS = { box: [2, 3], click: [1] } as const;

/**
 * Makes the tensors of a batch, which belong to the caller.
 *
 * @param side - of the model's input, in pixels; its masks have a fourth.
 */
export function clipTensors(objects: readonly FollowedObject[], prompt: FirstPrompt, side: number): ClipTensors {
  const masks = ordered(objects, (object) => object.masks);
  const seen = masks.map((mask) => Number(boxOfMask(mask) !== undefined));
  const common = {
    visible: tf.tensor2d(seen, [seen.length, 1]),
    truth: truthTensor([masks], { width: side / 4, height: side / 4 }),
  };
  if (prompt === 'mask') {
    const first = truthTensor([masks.slice(0, objects.length)], { width: side, height: side });
    const whole = tf.reshape(first, [objects.length, side, side, 1]) as tf.Tensor4D;
    first.dispose();
    return { ...common, masks: whole };
  }
  const places = objects.flatMap(({ images, box: [x0, y0, x1, y1], click }) => {
    const { width, height } = images[0] as RasterImage;
    const points = prompt === 'box' ? [[x0, y0] as const, [x1, y1] as const] : [click];
    return points.flatMap(([x, y]) => [(x * side) / width, (y * side) / height]);
  });
  const labels = LABELS[prompt];
  return {
    ...common,
    points: tf.tensor4d(places, [objects.length, 1, labels.length, 2]),
    labels: tf.tensor3d(
      objects.flatMap(() => [...labels]),
      [objects.length, 1, labels.length],
      'int32',
    ),
  };
}
