import type { Sample } from '../../data/index.js';
import type { BoxXyxy, RasterImage } from '../../imaging/index.js';
import { GroundedSegmenter, type LoadOptions, type MaskPrediction } from '../../infer/index.js';
import type { Detection } from '../../processing/index.js';
import type { Answer, AnsweredBox, Method, SeenInTraining } from '../../protocols/index.js';
import { type AnswerCache, type CachedBy, remembered } from './answer-cache.js';
import { modelFingerprint, textFingerprint } from './fingerprint.js';
import { Lazy } from './lazy.js';

/** Boxes below this score are not cached: no precision curve reaches that far. */
const FLOOR = 1e-3;

/** Maximum number of cached boxes per phrase, as in COCO. */
const PER_PHRASE = 100;

/** Which boxes get a mask: those that a protocol may use. */
interface MaskPolicy {
  /** Minimum score of boxes under the strict protocol. */
  readonly threshold: number;
  /** Whether all of those count, or only the best of each phrase. */
  readonly select: 'all' | 'best-per-phrase';
  /** Score from which the best box of a phrase gets a mask regardless, to allow the evaluation of lower thresholds. */
  readonly bestFrom: number;
}

export interface ModelMethodOptions {
  readonly name: string;
  readonly models: LoadOptions;
  readonly cache: AnswerCache;
  readonly policy: MaskPolicy;
  /** Whether the models saw a dataset in training. Default: unknown. */
  readonly seen?: ((dataset: string) => SeenInTraining) | undefined;
}

/** Our detector and masker. Loads the models on the first uncached answer, and owns them. */
export class ModelMethod implements Method {
  readonly name: string;
  readonly scored = true;
  readonly given = 'text';
  /** Hash of the models' contents. */
  readonly fingerprint: string;
  private readonly options: ModelMethodOptions;
  private readonly cached: CachedBy;
  private readonly segmenter: Lazy<GroundedSegmenter>;
  /** The image encoded by the masker; encoding dominates the cost of an answer. */
  private masked: RasterImage | undefined;

  private constructor(options: ModelMethodOptions, fingerprint: string) {
    this.name = options.name;
    this.options = options;
    this.fingerprint = fingerprint;
    const { precision = 'float32' } = options.models;
    const inPrecision = precision === 'float32' ? [] : [precision]; // what was cached before there was a choice stays valid
    const identity = textFingerprint([fingerprint, options.policy, FLOOR, PER_PHRASE, ...inPrecision]);
    this.cached = { cache: options.cache, identity };
    this.segmenter = new Lazy(() => GroundedSegmenter.load(options.models));
  }

  /** @throws UsageError, HubError, CheckpointError naming a missing model or adapter. */
  static async open(options: ModelMethodOptions): Promise<ModelMethod> {
    const { detector, masker, adapter, maskerAdapter } = options.models;
    const models = [detector, masker].filter((model) => model !== undefined);
    const adapters = maskerAdapter === undefined ? [adapter].filter((own) => own !== undefined) : [adapter, maskerAdapter];
    return new ModelMethod(options, await modelFingerprint(models, adapters));
  }

  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    return remembered(this.cached, sample.image, ['phrases', ...phrases], async () => {
      const { detector } = await this.segmenter.get();
      const detections = perPhrase(await detector.detect(sample.image, phrases, { threshold: FLOOR }));
      const wanted = detections.filter((detection, i) => this.getsMask(detection, detections.slice(0, i)));
      const masks = await this.predictMasks(
        sample.image,
        wanted.map(({ boxXyxyPx }) => boxXyxyPx),
      );
      return detections.map((detection): AnsweredBox => {
        const prediction = masks[wanted.indexOf(detection)];
        return prediction === undefined ? detection : { ...detection, mask: prediction.mask, maskScore: prediction.score };
      });
    });
  }

  seen(dataset: string): SeenInTraining {
    return this.options.seen?.(dataset) ?? 'unknown';
  }

  /** The masker's masks for given boxes, to measure the detector's share of the error. One answer per box, in order. */
  async answerBoxes(sample: Sample, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer> {
    return remembered(this.cached, sample.image, ['boxes', ...boxesXyxyPx], async () => {
      const masks = await this.predictMasks(sample.image, boxesXyxyPx);
      return masks.map(({ mask, score }, i) => {
        return { phrase: 'box', score: 1, boxXyxyPx: boxesXyxyPx[i] as BoxXyxy, mask, maskScore: score };
      });
    });
  }

  /** The models, which remain owned by this method. Callers may set other images in the masker. */
  async load(): Promise<GroundedSegmenter> {
    this.masked = undefined;
    return this.segmenter.get();
  }

  async dispose(): Promise<void> {
    this.masked = undefined;
    await this.segmenter.dispose();
  }

  private async predictMasks(image: RasterImage, boxesXyxyPx: readonly BoxXyxy[]): Promise<MaskPrediction[]> {
    if (boxesXyxyPx.length === 0) return [];
    const { masker } = await this.segmenter.get();
    if (this.masked !== image) await masker.setImage(image);
    this.masked = image;
    return masker.predictBoxes(boxesXyxyPx);
  }

  private getsMask({ phrase, score }: Detection, better: readonly Detection[]): boolean {
    const { threshold, select, bestFrom } = this.options.policy;
    const best = better.every((other) => other.phrase !== phrase);
    return best ? score >= Math.min(bestFrom, threshold) : select === 'all' && score >= threshold;
  }
}

function perPhrase(detections: readonly Detection[]): Detection[] {
  const counts = new Map<string, number>();
  return detections.filter(({ phrase }) => {
    const count = (counts.get(phrase) ?? 0) + 1;
    counts.set(phrase, count);
    return count <= PER_PHRASE;
  });
}
