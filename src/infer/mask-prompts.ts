import type { BoxXyxy, MaskLogits, Size } from '../imaging/index.js';
import { UsageError } from '../util/index.js';

/** A point in an image, in pixels from its top-left corner. */
export type PointXy = readonly [x: number, y: number];

/**
 * Prompts for masks. Prompt `i` consists of box `i`, the points `i` with their labels, and earlier mask `i`. Each of the three
 * kinds is optional; those given must have the same length.
 */
export interface MaskPrompts {
  /** Left, top, right, bottom in pixels of the image. */
  readonly boxes?: readonly BoxXyxy[] | undefined;
  /** The points of each prompt, in pixels of the image. */
  readonly points?: readonly (readonly PointXy[])[] | undefined;
  /** The label of each point: 1 inside, 0 outside the object. */
  readonly labels?: readonly (readonly number[])[] | undefined;
  /** For each prompt, the low-resolution logits of an earlier answer to refine. */
  readonly masks?: readonly MaskLogits[] | undefined;
  /** Predict several masks for each, possibly ambiguous, prompt. Default: false. */
  readonly multimask?: boolean | undefined;
}

/** How far a coordinate may lie outside the image, in pixels: boxes may be rounded outwards. */
const SLACK = 1;

/**
 * Validates prompts.
 *
 * @param lowRes - the size of earlier masks.
 * @returns the number of prompts.
 * @throws UsageError naming the invalid box, point, label or mask.
 */
export function checkPrompts({ boxes, points, labels, masks }: MaskPrompts, image: Size, lowRes: Size): number {
  if ((points === undefined) !== (labels === undefined))
    throw wrong(points === undefined ? 'labels' : 'points', 'points and labels come together', 'Give each point a label');
  const kinds = Object.entries({ boxes, points, labels, masks }).flatMap(([name, list]) =>
    list === undefined ? [] : [[name, list.length] as const],
  );
  const [first] = kinds;
  if (first === undefined) throw wrong('prompts', 'there is none', 'Give boxes, points with labels, or earlier masks');
  if (kinds.some(([, length]) => length !== first[1])) {
    const shown = kinds.map(([name, length]) => `${length} ${name}`).join(', ');
    throw wrong('prompts', `boxes, points, labels and masks must be equally many, got ${shown}`, 'Give one of each per prompt');
  }
  for (const [i, box] of (boxes ?? []).entries()) checkBox(box, i, image);
  for (const [i, own] of (points ?? []).entries()) checkPoints(own, labels?.[i] ?? [], i, image);
  for (const [i, mask] of (masks ?? []).entries()) checkMask(mask, i, lowRes);
  return first[1];
}

function checkBox(box: BoxXyxy, i: number, image: Size): void {
  const where = `boxes[${i}]`;
  if (box.length !== 4 || !box.every(Number.isFinite))
    throw wrong(where, `expected four numbers, got [${box.join(', ')}]`, 'A box is left, top, right, bottom');
  const [x0, y0, x1, y1] = box;
  if (x1 <= x0 || y1 <= y0)
    throw wrong(where, `it has no area: [${box.join(', ')}]`, 'A box is left, top, right, bottom, in this order');
  if (x0 < -SLACK || y0 < -SLACK || x1 > image.width + SLACK || y1 > image.height + SLACK)
    throw wrong(where, `[${box.join(', ')}] reaches out of the image, which is ${sizeOf(image)}`, 'Give pixels of the image');
}

function checkPoints(points: readonly PointXy[], labels: readonly number[], i: number, image: Size): void {
  const where = `points[${i}]`;
  if (points.length === 0) throw wrong(where, 'there is no point', 'Give at least one point, or a box instead');
  if (points.length !== labels.length)
    throw wrong(`labels[${i}]`, `expected ${points.length} labels, one for each point, got ${labels.length}`);
  for (const [k, point] of points.entries()) {
    if (point.length !== 2 || !point.every(Number.isFinite))
      throw wrong(`${where}[${k}]`, `expected two numbers, got [${point.join(', ')}]`, 'A point is x, y');
    const [x, y] = point;
    if (x < -SLACK || y < -SLACK || x > image.width + SLACK || y > image.height + SLACK)
      throw wrong(
        `${where}[${k}]`,
        `[${point.join(', ')}] lies outside the image, which is ${sizeOf(image)}`,
        'Give pixels of the image',
      );
    if (labels[k] !== 0 && labels[k] !== 1)
      throw wrong(`labels[${i}][${k}]`, `expected 1 (inside) or 0 (outside), got ${labels[k]}`);
  }
}

function checkMask({ width, height, data }: MaskLogits, i: number, lowRes: Size): void {
  const where = `masks[${i}]`;
  const fix = 'Pass on the logits of an earlier answer of this model';
  if (width !== lowRes.width || height !== lowRes.height || data.length !== width * height)
    throw wrong(where, `expected ${sizeOf(lowRes)} logits, got ${sizeOf({ width, height })} with ${data.length} numbers`, fix);
  if (!data.every(Number.isFinite)) throw wrong(where, 'it holds numbers that are not finite', fix);
}

function sizeOf({ width, height }: Size): string {
  return `${width}x${height}`;
}

function wrong(where: string, what: string, fix?: string): UsageError {
  return new UsageError({ code: 'E_PROMPT_INVALID', where, what, ...(fix === undefined ? {} : { fix }) });
}

/** Prompts decoded in one batch: all have the same kinds and number of points. */
export interface PromptCall {
  /** Indices of these prompts in the caller's list. */
  readonly indices: readonly number[];
  readonly boxes: readonly BoxXyxy[] | undefined;
  readonly points: readonly (readonly PointXy[])[] | undefined;
  readonly labels: readonly (readonly number[])[] | undefined;
  readonly masks: readonly MaskLogits[] | undefined;
}

/** Memory limit of one decoder call, in bytes. */
const BUDGET = 512 * 2 ** 20;

/**
 * Feature-sized maps that the decoder holds per prompt at its peak: the image features and their copies in attention (about 6),
 * and the upscaled ones with GELU's intermediates (2 each, about 6 of them).
 */
const MAPS_PER_PROMPT = 18;

/**
 * Groups prompts by their number of points and splits the groups to fit in memory. Shorter lists are not padded: the decoder
 * attends to padding, so an answer would depend on the other prompts.
 *
 * @param shape - of the image's features, [1, h, w, C].
 */
export function callsFor(
  prompts: MaskPrompts,
  count: number,
  [, h, w, c]: readonly [number, number, number, number],
): PromptCall[] {
  const limit = Math.max(1, Math.floor(BUDGET / (MAPS_PER_PROMPT * h * w * c * Float32Array.BYTES_PER_ELEMENT)));
  const groups = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const points = prompts.points?.[i]?.length ?? 0;
    groups.set(points, [...(groups.get(points) ?? []), i]);
  }
  return [...groups.values()].flatMap((group) => {
    const chunks = Array.from({ length: Math.ceil(group.length / limit) }, (_, k) => group.slice(k * limit, (k + 1) * limit));
    return chunks.map((indices) => ({
      indices,
      boxes: picked(prompts.boxes, indices),
      points: picked(prompts.points, indices),
      labels: picked(prompts.labels, indices),
      masks: picked(prompts.masks, indices),
    }));
  });
}

function picked<T>(list: readonly T[] | undefined, indices: readonly number[]): T[] | undefined {
  return list && indices.map((i) => list[i] as T);
}
