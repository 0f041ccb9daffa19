import type { Sample } from '../../data/index.js';
import { type BoxXyxy, boxOfMask, type RasterImage } from '../../imaging/index.js';
import type { MarkedPoint } from '../../infer/index.js';
import type { PointEntry } from '../../methods/index.js';
import type { Answer, AnsweredBox } from '../../protocols/index.js';
import { ComparedMethod, type ComparedOptions, type SharedModel, shareModel } from './compared-method.js';
import type { PointedBox, PointSource } from './given-points.js';

const NOWHERE: BoxXyxy = [0, 0, 0, 0];

export interface PointMethodOptions extends ComparedOptions<PointEntry> {
  /** One row of the tables each. */
  readonly sources: readonly PointSource[];
}

/** A method of the comparison that takes points, from one source of them. */
export class PointMethod extends ComparedMethod<PointEntry> {
  private readonly source: PointSource;

  private constructor(shared: SharedModel<PointEntry>, source: PointSource) {
    super(shared, source);
    this.source = source;
  }

  /**
   * Opens a method once for each source of points; all share one model, which is loaded for the first uncached answer.
   *
   * @throws UsageError, HubError, CheckpointError naming missing weights.
   */
  static async open({ sources, ...options }: PointMethodOptions): Promise<PointMethod[]> {
    const shared = await shareModel(options);
    return sources.map((source) => new PointMethod(shared, source));
  }

  /** One mask for each point; an empty mask is an answer. */
  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const pointed = await this.source.points(sample, phrases, this.shared.entry.grid);
    const points = pointed.flatMap(({ point }) => (point === undefined ? [] : [point]));
    const question = ['points', ...points.map(({ point, inside }) => [...point, Number(inside)])];
    const masks = points.length === 0 ? [] : await this.remembered(sample.image, question, () => this.mask(sample.image, points));
    let next = 0;
    return pointed.map(({ box, point }: PointedBox): AnsweredBox => {
      const masked = point === undefined ? undefined : masks[next++];
      const { phrase: _, score: __, boxXyxyPx: own = NOWHERE, ...rest } = masked ?? {};
      return { ...rest, ...box, boxXyxyPx: box.boxXyxyPx ?? own };
    });
  }

  protected async compute(sample: Sample, phrase: string): Promise<Answer> {
    const point = await this.source.find(sample, phrase, this.shared.entry.grid);
    return this.mask(sample.image, point === undefined ? [] : [point]);
  }

  private async mask(image: RasterImage, points: readonly MarkedPoint[]): Promise<Answer> {
    const masker = await this.shared.model.get();
    await masker.setImage(image);
    const masks = await masker.predictPoints(points);
    return masks.map(({ mask, score, ownGrid }) => ({
      phrase: 'point',
      score: 1,
      boxXyxyPx: boxOfMask(mask) ?? NOWHERE,
      mask,
      ownGrid,
      maskScore: score,
    }));
  }
}
