import type { BoxXyxy, MaskLogits } from '../imaging/index.js';
import type { MaskPrompts, PointXy } from './mask-prompts.js';

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
