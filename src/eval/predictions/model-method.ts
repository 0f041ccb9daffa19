import type { Sample } from '../../data/index.js';
import type { BoxXyxy, RasterImage } from '../../imaging/index.js';
import { GroundedSegmenter, type LoadOptions, type MaskPrediction } from '../../infer/index.js';
import type { Detection } from '../../processing/index.js';
import type { Answer, AnsweredBox, Method } from '../../protocols/index.js';
import type { AnswerCache, AnswerKey } from './answer-cache.js';
import { imageFingerprint, modelFingerprint, textFingerprint } from './fingerprint.js';

/** Score below which a box is not even remembered: no precision curve reaches there. */
const FLOOR = 1e-3;

/** Boxes of a phrase that are remembered, as many as COCO counts. */
const PER_PHRASE = 100;

/** Which boxes get a mask: those that a protocol may look into. */
interface MaskPolicy {
  /** Score from which boxes count under the strict protocol. */
  readonly threshold: number;
  /** Whether all of those count, or the best of a phrase. */
  readonly select: 'all' | 'best';
  /** Score from which the best box of a phrase gets a mask all the same, so that lower thresholds can be judged. */
  readonly bestFrom: number;
}

export interface ModelMethodOptions {
  readonly name: string;
  readonly models: LoadOptions;
  readonly cache: AnswerCache;
  readonly policy: MaskPolicy;
}

/** Our detector and masker. They are loaded when the first answer is not remembered; it owns them. */
export class ModelMethod implements Method {
  readonly name: string;
  readonly scored = true;
  /** Digest of the models' contents. */
  readonly fingerprint: string;
  private readonly options: ModelMethodOptions;
  private readonly identity: string;
  private segmenter: Promise<GroundedSegmenter> | undefined;
  /** The image that the masker has encoded: asking it twice costs most of the time. */
  private masked: RasterImage | undefined;

  private constructor(options: ModelMethodOptions, fingerprint: string) {
    this.name = options.name;
    this.options = options;
    this.fingerprint = fingerprint;
    this.identity = textFingerprint([fingerprint, options.policy, FLOOR, PER_PHRASE]);
  }

  /** @throws UsageError, HubError, CheckpointError naming a model or an adapter that is not there. */
  static async open(options: ModelMethodOptions): Promise<ModelMethod> {
    const { detector, masker, adapter, maskerAdapter } = options.models;
    const models = [detector, masker].filter((model) => model !== undefined);
    const adapters = maskerAdapter === undefined ? [adapter].filter((own) => own !== undefined) : [adapter, maskerAdapter];
    return new ModelMethod(options, await modelFingerprint(models, adapters));
  }

  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    return this.remembered(sample, ['phrases', ...phrases], async () => {
      const { detector } = await this.models();
      const detections = perPhrase(await detector.detect(sample.image, phrases, { boxThreshold: FLOOR }));
      const wanted = detections.filter((detection, i) => this.getsMask(detection, detections.slice(0, i)));
      const masks = await this.masksOf(
        sample.image,
        wanted.map(({ boxXyxyPx }) => boxXyxyPx),
      );
      return detections.map((detection): AnsweredBox => {
        const prediction = masks[wanted.indexOf(detection)];
        return prediction === undefined ? detection : { ...detection, mask: prediction.mask, maskScore: prediction.score };
      });
    });
  }

  /** What the masker makes of given boxes: how much is lost after the detector. One answer a box, in their order. */
  async answerBoxes(sample: Sample, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer> {
    return this.remembered(sample, ['boxes', ...boxesXyxyPx], async () => {
      const masks = await this.masksOf(sample.image, boxesXyxyPx);
      return masks.map(({ mask, score }, i) => {
        return { phrase: 'box', score: 1, boxXyxyPx: boxesXyxyPx[i] as BoxXyxy, mask, maskScore: score };
      });
    });
  }

  /** The models, which stay this method's. The masker may be shown other images. */
  async load(): Promise<GroundedSegmenter> {
    this.masked = undefined;
    return this.models();
  }

  async dispose(): Promise<void> {
    const { segmenter } = this;
    this.segmenter = undefined;
    this.masked = undefined;
    // A load that failed has already told its caller.
    await segmenter?.then(
      (loaded) => loaded.dispose(),
      () => {},
    );
  }

  private models(): Promise<GroundedSegmenter> {
    this.segmenter ??= GroundedSegmenter.load(this.options.models);
    return this.segmenter;
  }

  private async masksOf(image: RasterImage, boxesXyxyPx: readonly BoxXyxy[]): Promise<MaskPrediction[]> {
    if (boxesXyxyPx.length === 0) return [];
    const { masker } = await this.models();
    if (this.masked !== image) await masker.setImage(image);
    this.masked = image;
    return masker.masksOf(boxesXyxyPx);
  }

  private getsMask({ phrase, score }: Detection, better: readonly Detection[]): boolean {
    const { threshold, select, bestFrom } = this.options.policy;
    const best = better.every((other) => other.phrase !== phrase);
    return best ? score >= Math.min(bestFrom, threshold) : select === 'all' && score >= threshold;
  }

  private async remembered(sample: Sample, question: readonly unknown[], ask: () => Promise<Answer>): Promise<Answer> {
    const { cache } = this.options;
    const key: AnswerKey = { model: this.identity, image: imageFingerprint(sample.image), prompt: textFingerprint(question) };
    const known = await cache.get(key);
    if (known !== undefined) return known;
    const answer = await ask();
    await cache.put(key, answer, sample.image);
    return answer;
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
