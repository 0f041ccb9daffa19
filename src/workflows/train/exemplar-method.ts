import type { Dataset, Sample } from '../../data/index.js';
import { boxOfMask } from '../../imaging/index.js';
import { UniverSegPredictor } from '../../infer/index.js';
import { loadUniverSeg, type UniverSegParts } from '../../pretrained/index.js';
import type { Answer, AnsweredBox, Method } from '../../protocols/index.js';
import { SupportPool } from '../../train/index.js';
import { DataError, Rng } from '../../util/index.js';

/** A trained UniverSeg as a method, supported by the images that it was trained on: one draw for each phrase. */
export class ExemplarMethod implements Method {
  readonly name: string;
  readonly scored = true;
  private readonly parts: UniverSegParts;
  private readonly pool: SupportPool;
  private readonly supports: number;
  private readonly seed: number;
  /** By phrase; undefined for one that no training image shows. All share the model. */
  private readonly predictors = new Map<string, Promise<UniverSegPredictor | undefined>>();

  private constructor(name: string, parts: UniverSegParts, pool: SupportPool, supports: number, seed: number) {
    this.name = name;
    this.parts = parts;
    this.pool = pool;
    this.supports = supports;
    this.seed = seed;
  }

  /** @param supports - exemplars of each phrase. */
  static async open(
    name: string,
    weights: string,
    { train, supports, seed }: { readonly train: Dataset; readonly supports: number; readonly seed: number },
  ): Promise<ExemplarMethod> {
    const parts = await loadUniverSeg(weights);
    return new ExemplarMethod(name, parts, await SupportPool.open(train, parts.config.imageSize), supports, seed);
  }

  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const found: AnsweredBox[] = [];
    for (const phrase of phrases) {
      const known = this.predictors.get(phrase) ?? this.supported(phrase, sample);
      this.predictors.set(phrase, known);
      const prediction = await (await known)?.predict(sample.image).catch((error: unknown) => {
        if (!(error instanceof DataError)) throw error;
        throw new DataError({ code: error.code, where: sample.file ?? sample.id, what: error.what, cause: error });
      });
      if (prediction === undefined) continue;
      const { mask, score } = prediction;
      const boxXyxyPx = boxOfMask(mask);
      if (boxXyxyPx !== undefined) found.push({ phrase, score, boxXyxyPx, mask });
    }
    return found.sort((a, b) => b.score - a.score);
  }

  private async supported(phrase: string, sample: Sample): Promise<UniverSegPredictor | undefined> {
    const pairs = this.pool.draw(phrase, sample, this.supports, Rng.seeded(this.seed, ...Buffer.from(phrase)));
    if (pairs.length === 0) return undefined;
    const predictor = new UniverSegPredictor(this.parts);
    await predictor.setSupport(
      pairs.map(({ image }) => image),
      pairs.map(({ mask }) => mask),
    );
    return predictor;
  }

  async dispose(): Promise<void> {
    for (const predictor of this.predictors.values()) (await predictor)?.forget();
    this.predictors.clear();
    this.parts.model.dispose();
  }
}
