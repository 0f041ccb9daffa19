import type { BoxXyxy, Size } from '../imaging/index.js';
import type { EncodedPrompt } from '../prompts/index.js';
import { CheckpointError } from '../util/index.js';

/** A box detected for a phrase. */
export interface Detection {
  /** One of the caller's phrases. */
  readonly phrase: string;
  /** In [0, 1]. */
  readonly score: number;
  readonly boxXyxyPx: BoxXyxy;
}

/** Which of the boxes that reach the threshold are kept: all, or at most one for each phrase or for the whole image. */
export type Selection = 'all' | 'best-per-phrase' | 'best-per-image';

export const selections = ['all', 'best-per-phrase', 'best-per-image'] as const satisfies readonly Selection[];

/** Options for selecting boxes. */
export interface SelectOptions {
  /** Lowest score of a returned box, in [0, 1]. */
  readonly threshold: number;
  /** Default: `all`. */
  readonly select?: Selection | undefined;
  /** NMS threshold: IoU above which the weaker of two boxes of one phrase is dropped. Default: 0.5. */
  readonly nmsThreshold?: number | undefined;
  /** Default: no limit. */
  readonly maxDetections?: number | undefined;
}

/** The model's outputs for one image: [Q, T] logits over the prompt's tokens and [Q, 4] boxes as centre and size, normalised. */
export interface QueryAnswers {
  readonly logits: Float32Array;
  readonly boxes: Float32Array;
}

/**
 * Converts queries to detections. A query's score for a phrase is the mean probability of the phrase's tokens; each query is
 * assigned to the phrase with its highest score. NMS is applied per phrase.
 *
 * Upstream takes the highest probability of any token and composes the phrase of all tokens above a threshold, which can yield
 * fragments and merged phrases.
 *
 * @returns boxes in pixels, inside the image, best first; possibly none.
 * @throws CheckpointError when the outputs are NaN.
 */
export function selectDetections(answers: QueryAnswers, prompt: EncodedPrompt, options: SelectOptions, image: Size): Detection[] {
  const { threshold, select = 'all', nmsThreshold = 0.5 } = options;
  const most = mostDetections(options);
  const candidates = queriesOf(answers, prompt)
    .filter(({ score }) => score >= threshold)
    .map(({ phrase, score, box }) => ({ phrase, score, boxXyxyPx: toPixels(box, image) }))
    .filter(({ boxXyxyPx: [x0, y0, x1, y1] }) => x1 > x0 && y1 > y0)
    .sort((a, b) => b.score - a.score);
  const kept: Detection[] = [];
  for (const candidate of candidates) {
    const same = kept.filter(({ phrase }) => phrase === candidate.phrase);
    const beaten =
      select === 'best-per-phrase'
        ? same.length > 0
        : same.some(({ boxXyxyPx }) => boxIou(boxXyxyPx, candidate.boxXyxyPx) > nmsThreshold);
    if (!beaten && kept.length < most) kept.push(candidate);
  }
  return kept;
}

/** How many boxes an image gets at most. */
export function mostDetections({ select, maxDetections = Number.POSITIVE_INFINITY }: Partial<SelectOptions>): number {
  return select === 'best-per-image' ? Math.min(1, maxDetections) : maxDetections;
}

function queriesOf({ logits, boxes }: QueryAnswers, { phrases }: EncodedPrompt) {
  const queries = boxes.length / 4;
  const tokens = logits.length / queries;
  return Array.from({ length: queries }, (_, q) => {
    const scores = phrases.map(
      (named) =>
        named.tokens.reduce((sum, t) => sum + 1 / (1 + Math.exp(-(logits[q * tokens + t] as number))), 0) / named.tokens.length,
    );
    const score = Math.max(...scores);
    const box = boxes.subarray(q * 4, q * 4 + 4);
    if (Number.isNaN(score) || box.some(Number.isNaN))
      throw new CheckpointError({
        code: 'E_WEIGHTS_NOT_FINITE',
        where: 'detector',
        what: 'its answer is not a number (NaN): its weights, or those of its adapter, are too large to compute with',
        fix: 'Take an earlier checkpoint',
      });
    const { phrase } = phrases[scores.indexOf(score)] as EncodedPrompt['phrases'][number];
    return { phrase, score, box };
  });
}

function toPixels(box: Float32Array, { width, height }: Size): BoxXyxy {
  const [cx, cy, w, h] = box as unknown as [number, number, number, number];
  const clip = (value: number, limit: number) => Math.min(Math.max(value, 0), limit);
  return [
    clip((cx - w / 2) * width, width),
    clip((cy - h / 2) * height, height),
    clip((cx + w / 2) * width, width),
    clip((cy + h / 2) * height, height),
  ];
}

/** Intersection over union of two boxes. */
export function boxIou([ax0, ay0, ax1, ay1]: BoxXyxy, [bx0, by0, bx1, by1]: BoxXyxy): number {
  const shared = Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0)) * Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0));
  const joined = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared;
  return joined > 0 ? shared / joined : 0;
}
