import type { Sample } from '../../data/index.js';
import type { BoxXyxy, RasterImage } from '../../imaging/index.js';
import type { BoxEntry } from '../../methods/index.js';
import type { Answer, AnsweredBox } from '../../protocols/index.js';
import { ComparedMethod, type ComparedOptions, type SharedModel, shareModel } from './compared-method.js';
import { type BoxSource, wantedBoxes } from './given-boxes.js';

export interface BoxMethodOptions extends ComparedOptions<BoxEntry> {
  /** One row of the tables each; the first is named first. */
  readonly sources: readonly BoxSource[];
}

/** A method of the comparison that takes boxes, from one source of them. */
export class BoxMethod extends ComparedMethod<BoxEntry> {
  private readonly source: BoxSource;

  private constructor(shared: SharedModel<BoxEntry>, source: BoxSource) {
    super(shared, source);
    this.source = source;
  }

  /**
   * Opens a method once for each source of boxes; all share one model, which is loaded for the first uncached answer.
   *
   * @throws UsageError, HubError, CheckpointError naming missing weights.
   */
  static async open({ sources, ...options }: BoxMethodOptions): Promise<BoxMethod[]> {
    const shared = await shareModel(options);
    return sources.map((source) => new BoxMethod(shared, source));
  }

  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const boxes = await this.source.boxes(sample, phrases);
    const wanted = wantedBoxes(this.source, boxes);
    if (wanted.length === 0) return boxes;
    const places = wanted.map(({ boxXyxyPx }) => boxXyxyPx);
    const masks = await this.remembered(sample.image, ['boxes', ...places], () => this.mask(sample.image, places));
    return boxes.map((box): AnsweredBox => {
      const { mask, maskScore } = masks[wanted.indexOf(box)] ?? {};
      const { phrase, score, boxXyxyPx } = box;
      return { phrase, score, boxXyxyPx, ...(mask && { mask }), ...(maskScore !== undefined && { maskScore }) };
    });
  }

  protected async compute(sample: Sample, phrase: string): Promise<Answer> {
    const { image } = sample;
    const [best] = await this.source.find(image, sample, phrase);
    return this.mask(image, [best?.boxXyxyPx ?? [0, 0, image.width, image.height]]);
  }

  private async mask(image: RasterImage, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer> {
    const masker = await this.shared.model.get();
    await masker.setImage(image);
    const masks = await masker.predictBoxes(boxesXyxyPx);
    return masks.map(({ mask, score }, i) => ({
      phrase: 'box',
      score: 1,
      boxXyxyPx: boxesXyxyPx[i] as BoxXyxy,
      mask,
      maskScore: score,
    }));
  }
}
