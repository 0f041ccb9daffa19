import type { Sample } from '../../data/index.js';
import type { BoxXyxy, RasterImage } from '../../imaging/index.js';
import type { Masker } from '../../infer/index.js';
import { type BoxEntry, createMethod } from '../../methods/index.js';
import type { Answer, AnsweredBox, Method, SeenInTraining } from '../../protocols/index.js';
import { type AnswerCache, type CachedBy, remembered } from './answer-cache.js';
import { textFingerprint, weightsFingerprint } from './fingerprint.js';
import { type BoxSource, wantedBoxes } from './given-boxes.js';
import { Lazy } from './lazy.js';
import { publishedNote } from './published-note.js';
import { seenBy } from './seen.js';

export interface BoxMethodOptions {
  readonly entry: BoxEntry;
  /** A folder, a file, or the name of a downloaded model. */
  readonly weights: string;
  readonly asPublished: boolean;
  /** One row of the tables each; the first is named first. */
  readonly sources: readonly BoxSource[];
  readonly cache: AnswerCache;
}

/** A method of the comparison that takes boxes, from one source of them. */
export class BoxMethod implements Method {
  readonly name: string;
  readonly given: string;
  readonly note?: string;
  readonly scored: boolean;
  private readonly entry: BoxEntry;
  private readonly source: BoxSource;
  private readonly masker: Lazy<Masker>;
  private readonly cached: CachedBy;

  private constructor(entry: BoxEntry, asPublished: boolean, source: BoxSource, masker: Lazy<Masker>, cached: CachedBy) {
    this.name = `${entry.name}${asPublished ? ' as published' : ''} (${source.label})`;
    const note = publishedNote(entry, asPublished);
    if (note !== undefined) this.note = note;
    this.given = source.given;
    this.scored = source.scored;
    this.entry = entry;
    this.source = source;
    this.masker = masker;
    this.cached = cached;
  }

  /**
   * Opens a method once for each source of boxes; all share one model, which is loaded for the first uncached answer.
   *
   * @throws UsageError, HubError, CheckpointError naming missing weights.
   */
  static async open({ entry, weights, asPublished, sources, cache }: BoxMethodOptions): Promise<BoxMethod[]> {
    const fingerprint = await weightsFingerprint(weights);
    const cached = { cache, identity: textFingerprint([entry.name, asPublished, fingerprint]) };
    const masker = new Lazy(() => createMethod(entry, { weights, asPublished }));
    return sources.map((source) => new BoxMethod(entry, asPublished, source, masker, cached));
  }

  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const boxes = await this.source.boxes(sample, phrases);
    const wanted = wantedBoxes(this.source, boxes);
    if (wanted.length === 0) return boxes;
    const places = wanted.map(({ boxXyxyPx }) => boxXyxyPx);
    const masks = await remembered(this.cached, sample.image, ['boxes', ...places], () => this.mask(sample.image, places));
    return boxes.map((box): AnsweredBox => {
      const { mask, maskScore } = masks[wanted.indexOf(box)] ?? {};
      const { phrase, score, boxXyxyPx } = box;
      return { phrase, score, boxXyxyPx, ...(mask && { mask }), ...(maskScore !== undefined && { maskScore }) };
    });
  }

  async predict({ ...sample }: Sample, [phrase = '']: readonly string[]): Promise<void> {
    // A new object, since models keep what they computed for an image by it.
    const image = { ...sample.image };
    const [best] = await this.source.find(image, sample, phrase);
    await this.mask(image, [best?.boxXyxyPx ?? [0, 0, image.width, image.height]]);
  }

  seen(dataset: string): SeenInTraining {
    return seenBy(this.entry.trainedOn?.datasets, dataset);
  }

  dispose(): Promise<void> {
    return this.masker.dispose();
  }

  private async mask(image: RasterImage, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer> {
    const masker = await this.masker.get();
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
