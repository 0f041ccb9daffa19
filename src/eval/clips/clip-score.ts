import { type BinaryMask, unionOfMasks } from '../../imaging/index.js';
import { contourAccuracy, diceCoefficient, iou, mean } from '../../metrics/index.js';
import type { TrueObject } from './labelled-clip.js';

/** An object as it was predicted on a frame. */
export interface PredictedObject {
  readonly track: number;
  readonly phrase: string;
  readonly mask: BinaryMask;
}

/** Scores of one target along a clip, as percentages; null where no frame counts. */
export interface TargetScore {
  /** The phrase, and for prompted objects their number. */
  readonly target: string;
  /** Frames that count. */
  readonly frames: number;
  /** Region similarity: the mean IoU. */
  readonly j: number | null;
  /** Contour accuracy. */
  readonly f: number | null;
  readonly jf: number | null;
  readonly dsc: number | null;
  /** Mean IoU of the masks of neighbouring frames that both show the target, predicted and true. */
  readonly consistency: number | null;
  readonly trueConsistency: number | null;
}

/** Overlap (IoU) from which a predicted track is a true object. */
const SAME = 0.5;

/** Collects the scores of one target, frame by frame. */
export class TargetScorer {
  private readonly target: string;
  private readonly j: number[] = [];
  private readonly f: number[] = [];
  private readonly dsc: number[] = [];
  private readonly steady: number[] = [];
  private readonly trueSteady: number[] = [];
  private last: { readonly predicted: BinaryMask; readonly truth: BinaryMask } | undefined;

  constructor(target: string) {
    this.target = target;
  }

  /**
   * Adds the next frame. Two empty masks agree.
   *
   * @param counts - false for the frame that the prompt was drawn on.
   */
  add(predicted: BinaryMask, truth: BinaryMask, counts: boolean): void {
    if (counts) {
      this.j.push(100 * iou(predicted, truth));
      this.f.push(100 * contourAccuracy(predicted, truth));
      this.dsc.push(100 * diceCoefficient(predicted, truth));
    }
    if (this.last?.truth.data.includes(1) && truth.data.includes(1)) {
      // Two masks that are missing alike are not steady.
      const shown = this.last.predicted.data.includes(1) || predicted.data.includes(1);
      if (shown) this.steady.push(100 * iou(this.last.predicted, predicted));
      this.trueSteady.push(100 * iou(this.last.truth, truth));
    }
    this.last = { predicted, truth };
  }

  score(): TargetScore {
    const [j, f] = [meanOf(this.j), meanOf(this.f)];
    return {
      target: this.target,
      frames: this.j.length,
      j,
      f,
      jf: j === null || f === null ? null : (j + f) / 2,
      dsc: meanOf(this.dsc),
      consistency: meanOf(this.steady),
      trueConsistency: meanOf(this.trueSteady),
    };
  }
}

/** Counts how often a true object is found as another track than before. */
export class SwitchCounter {
  switches = 0;
  private readonly tracks = new Map<number, number>();

  add(predicted: readonly PredictedObject[], truth: readonly TrueObject[]): void {
    for (const { object, phrase, mask } of truth) {
      const matches = predicted
        .filter((one) => one.phrase === phrase)
        .map(({ track, mask: own }) => ({ track, overlap: iou(own, mask) }))
        .filter(({ overlap }) => overlap >= SAME)
        .sort((a, b) => b.overlap - a.overlap);
      const [best] = matches;
      if (best === undefined) continue;
      const before = this.tracks.get(object);
      if (before !== undefined && before !== best.track) this.switches += 1;
      this.tracks.set(object, best.track);
    }
  }
}

/** The union of some masks, or an empty mask. */
export function joined(
  masks: readonly BinaryMask[],
  { width, height }: { readonly width: number; readonly height: number },
): BinaryMask {
  return masks.length === 0 ? { width, height, data: new Uint8Array(width * height) } : unionOfMasks(masks);
}

/** The mean, or null of nothing. */
export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}
