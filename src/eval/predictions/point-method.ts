import type { Sample } from '../../data/index.js';
import { type BoxXyxy, boxOfMask, type RasterImage } from '../../imaging/index.js';
import type { MarkedPoint, PointMasker } from '../../infer/index.js';
import { createMethod, type PointEntry, RANDOM_WEIGHTS } from '../../methods/index.js';
import type { Answer, AnsweredBox, Method, SeenInTraining } from '../../protocols/index.js';
import { type AnswerCache, type CachedBy, remembered } from './answer-cache.js';
import { textFingerprint, weightsFingerprint } from './fingerprint.js';
import type { PointedBox, PointSource } from './given-points.js';
import { Lazy } from './lazy.js';
import { publishedNote } from './published-note.js';
import { seenBy } from './seen.js';

const NOWHERE: BoxXyxy = [0, 0, 0, 0];

export interface PointMethodOptions {
  readonly entry: PointEntry;
  /** A folder, a file, the name of a downloaded model, or random ones. */
  readonly weights: string;
  readonly asPublished: boolean;
  /** One row of the tables each. */
  readonly sources: readonly PointSource[];
  readonly cache: AnswerCache;
}

/** A method of the comparison that takes points, from one source of them. */
export class PointMethod implements Method {
  readonly name: string;
  readonly given: string;
  readonly note?: string;
  readonly scored: boolean;
  readonly untrained: boolean;
  private readonly options: PointMethodOptions;
  private readonly source: PointSource;
  private readonly masker: Lazy<PointMasker>;
  private readonly cached: CachedBy;

  private constructor(options: PointMethodOptions, source: PointSource, masker: Lazy<PointMasker>, cached: CachedBy) {
    const { entry, weights, asPublished } = options;
    this.untrained = weights === RANDOM_WEIGHTS;
    this.name = `${entry.name}${asPublished ? ' as published' : ''}${this.untrained ? ', random weights' : ''} (${source.label})`;
    const note = publishedNote(entry, asPublished);
    if (note !== undefined) this.note = note;
    this.given = source.given;
    this.scored = source.scored;
    this.options = options;
    this.source = source;
    this.masker = masker;
    this.cached = cached;
  }

  /**
   * Opens a method once for each source of points; all share one model, which is loaded for the first uncached answer.
   *
   * @throws UsageError, HubError, CheckpointError naming missing weights.
   */
  static async open(options: PointMethodOptions): Promise<PointMethod[]> {
    const { entry, weights, asPublished, sources, cache } = options;
    const cached = { cache, identity: textFingerprint([entry.name, asPublished, await weightsFingerprint(weights)]) };
    const masker = new Lazy(() => createMethod(entry, { weights, asPublished }));
    return sources.map((source) => new PointMethod(options, source, masker, cached));
  }

  /** One mask for each point; an empty mask is an answer. */
  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const pointed = await this.source.points(sample, phrases, this.options.entry.grid);
    const points = pointed.flatMap(({ point }) => (point === undefined ? [] : [point]));
    const question = ['points', ...points.map(({ point, inside }) => [...point, Number(inside)])];
    const masks =
      points.length === 0 ? [] : await remembered(this.cached, sample.image, question, () => this.mask(sample.image, points));
    let next = 0;
    return pointed.map(({ box, point }: PointedBox): AnsweredBox => {
      const masked = point === undefined ? undefined : masks[next++];
      const { phrase: _, score: __, boxXyxyPx: own = NOWHERE, ...rest } = masked ?? {};
      return { ...rest, ...box, boxXyxyPx: box.boxXyxyPx ?? own };
    });
  }

  async predict({ ...sample }: Sample, [phrase = '']: readonly string[]): Promise<void> {
    // A new object, since models keep what they computed for an image by it.
    const image = { ...sample.image };
    const point = await this.source.find({ ...sample, image }, phrase, this.options.entry.grid);
    await this.mask(image, point === undefined ? [] : [point]);
  }

  seen(dataset: string): SeenInTraining {
    return this.untrained ? 'unknown' : seenBy(this.options.entry.trainedOn?.datasets, dataset);
  }

  dispose(): Promise<void> {
    return this.masker.dispose();
  }

  private async mask(image: RasterImage, points: readonly MarkedPoint[]): Promise<Answer> {
    const masker = await this.masker.get();
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
