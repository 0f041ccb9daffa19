import type { Sample } from '../../data/index.js';
import { GroundedSegmenter, type LoadOptions } from '../../infer/index.js';
import type { BoxXyxy, Detection } from '../../processing/index.js';
import type { Answer, AnsweredBox } from './answer.js';
import type { AnswerCache, AnswerKey } from './answer-cache.js';
import { imageFingerprint, modelFingerprint, textFingerprint } from './fingerprint.js';
import type { Method } from './method.js';

/** Score below which a box is not even remembered: no precision curve reaches there. */
const FLOOR = 1e-3;

/** Boxes of a phrase that are remembered, as many as COCO counts. */
const PER_PHRASE = 100;

/** Which boxes get a mask: those that a protocol may look into. */
export interface MaskPolicy {
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

  private constructor(options: ModelMethodOptions, fingerprint: string) {
    this.name = options.name;
    this.options = options;
    this.fingerprint = fingerprint;
    this.identity = textFingerprint([fingerprint, options.policy, FLOOR, PER_PHRASE]);
  }

  /** @throws UsageError, HubError naming a model that is not there. */
  static async open(options: ModelMethodOptions): Promise<ModelMethod> {
    const { detector, masker, adapter } = options.models;
    const folders = [detector, masker, adapter].filter((folder) => folder !== undefined);
    return new ModelMethod(options, await modelFingerprint(folders));
  }

  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    return this.remembered(sample, ['phrases', ...phrases], async () => {
      const { detector, masker } = await this.load();
      const detections = perPhrase(await detector.detect(sample.image, phrases, { boxThreshold: FLOOR }));
      const wanted = detections.filter((detection, i) => this.getsMask(detection, detections.slice(0, i)));
      if (wanted.length > 0) await masker.setImage(sample.image);
      const masks = await masker.masksOf(wanted.map(({ boxXyxyPx }) => boxXyxyPx));
      return detections.map((detection): AnsweredBox => {
        const prediction = masks[wanted.indexOf(detection)];
        return prediction === undefined ? detection : { ...detection, mask: prediction.mask, maskScore: prediction.score };
      });
    });
  }

  /** What the masker makes of given boxes: how much is lost after the detector. One answer a box, in their order. */
  async answerBoxes(sample: Sample, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer> {
    return this.remembered(sample, ['boxes', ...boxesXyxyPx], async () => {
      const { masker } = await this.load();
      await masker.setImage(sample.image);
      const masks = await masker.masksOf(boxesXyxyPx);
      return masks.map(({ mask, score }, i) => {
        return { phrase: 'box', score: 1, boxXyxyPx: boxesXyxyPx[i] as BoxXyxy, mask, maskScore: score };
      });
    });
  }

  /** Loads the models, or returns them where that has been done. They stay this method's. */
  load(): Promise<GroundedSegmenter> {
    this.segmenter ??= GroundedSegmenter.load(this.options.models);
    return this.segmenter;
  }

  dispose(): void {
    // A load that failed has already told its caller.
    this.segmenter?.then(
      (segmenter) => segmenter.dispose(),
      () => {},
    );
    this.segmenter = undefined;
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
