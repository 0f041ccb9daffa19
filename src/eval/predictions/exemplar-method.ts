import type { Sample } from '../../data/index.js';
import { type BoxXyxy, boxOfMask } from '../../imaging/index.js';
import { createMethod, type Exemplar, type ExemplarEntry, type ExemplarSegmenter } from '../../methods/index.js';
import { trainingDataOf } from '../../pretrained/index.js';
import { type Answer, type AnsweredBox, type Method, type SeenInTraining, WHOLE } from '../../protocols/index.js';
import { DataError } from '../../util/index.js';
import { type AnswerCache, type CachedBy, remembered } from './answer-cache.js';
import { imageFingerprint, textFingerprint, weightsFingerprint } from './fingerprint.js';
import { Lazy } from './lazy.js';
import { publishedNote } from './published-note.js';
import { seenBy } from './seen.js';
import type { Support } from './support.js';

const NOWHERE: BoxXyxy = [0, 0, 0, 0];

export interface ExemplarMethodOptions {
  readonly entry: ExemplarEntry;
  /** A folder, a file, or the name of a downloaded model. */
  readonly weights: string;
  readonly asPublished: boolean;
  readonly support: Support;
  /** Exemplars that were asked for, for the name. */
  readonly count: number;
  readonly cache: AnswerCache;
  /** Name in tables. Default: the method's, with the number of exemplars. */
  readonly name?: string;
  /**
   * Whether its masks count with their scores: the best first, and an empty one as no detection. Default: false, as for the other
   * methods of the comparison.
   */
  readonly scored?: boolean;
}

/** A method of the comparison that is given exemplars: it segments in an image what their masks show. */
export class ExemplarMethod implements Method {
  readonly name: string;
  readonly given: string;
  readonly note?: string;
  readonly scored: boolean;
  private readonly options: ExemplarMethodOptions;
  private readonly model: Lazy<ExemplarSegmenter>;
  private readonly cached: CachedBy;

  private constructor(options: ExemplarMethodOptions, fingerprint: string) {
    const { entry, weights, asPublished, count, support, cache, scored = false } = options;
    this.given = `${count} exemplar${count === 1 ? '' : 's'}`;
    this.name = options.name ?? `${entry.name}${asPublished ? ' as published' : ''} (${this.given})`;
    this.scored = scored;
    const notes = [publishedNote(entry, asPublished), ...support.notes].filter((note) => note !== undefined);
    if (notes.length > 0) this.note = notes.join('; ');
    this.options = options;
    this.model = new Lazy(() => createMethod(entry, { weights, asPublished }));
    this.cached = { cache, identity: textFingerprint([entry.name, asPublished, fingerprint, ...(scored ? ['scored'] : [])]) };
  }

  /** @throws UsageError, HubError, CheckpointError naming missing weights. */
  static async open(options: ExemplarMethodOptions): Promise<ExemplarMethod> {
    return new ExemplarMethod(options, await weightsFingerprint(options.weights));
  }

  /**
   * One mask a phrase, of all its structures; an empty mask is an answer, unless masks have scores. Nothing for a phrase without
   * exemplars.
   *
   * @throws DataError naming the image when it is one of the exemplars.
   */
  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const answer: AnsweredBox[] = [];
    for (const phrase of phrases) {
      const exemplars = this.exemplarsOf(sample.dataset, phrase, phrases.length === 1);
      if (exemplars === undefined) continue;
      const question = ['exemplars', phrase, ...exemplars.map(fingerprintOf)];
      answer.push(...(await remembered(this.cached, sample.image, question, () => this.segment(sample, phrase, exemplars))));
    }
    return this.scored ? answer.sort((a, b) => b.score - a.score) : answer;
  }

  async predict({ ...sample }: Sample, [phrase = '']: readonly string[]): Promise<void> {
    const exemplars = this.exemplarsOf(sample.dataset, phrase, true);
    if (exemplars !== undefined) await this.segment({ ...sample, image: { ...sample.image } }, phrase, exemplars);
  }

  seen(dataset: string): SeenInTraining {
    const { entry, weights } = this.options;
    const own = trainingDataOf(weights);
    return own.length > 0 ? seenBy(own, dataset, 'training split') : seenBy(entry.trainedOn?.datasets, dataset);
  }

  dispose(): Promise<void> {
    return this.model.dispose();
  }

  /** One phrase that the dataset does not use stands for everything that an image shows. */
  private exemplarsOf(dataset: string, phrase: string, alone: boolean): readonly Exemplar[] | undefined {
    const own = this.options.support.exemplars.get(dataset);
    const exemplars = own?.get(phrase) ?? (alone ? own?.get(WHOLE) : undefined);
    return exemplars?.length === 0 ? undefined : exemplars;
  }

  private async segment({ image, file, id }: Sample, phrase: string, exemplars: readonly Exemplar[]): Promise<Answer> {
    const segmenter = await this.model.get();
    const { mask, ownGrid, score } = await segmenter.segment(image, exemplars).catch((cause: unknown) => {
      if (!(cause instanceof DataError)) throw cause;
      throw new DataError({
        code: cause.code,
        where: file ?? id,
        what: cause.what,
        ...(cause.fix !== undefined && { fix: cause.fix }),
        cause,
      });
    });
    const box = boxOfMask(mask);
    if (this.scored && box === undefined) return [];
    const own = { phrase, score: this.scored ? (score ?? 1) : 1, boxXyxyPx: box ?? NOWHERE, mask };
    return [{ ...own, ...(ownGrid && { ownGrid }) }];
  }
}

const known = new WeakMap<Exemplar, string>();

function fingerprintOf(exemplar: Exemplar): string {
  const { image, mask } = exemplar;
  const found = known.get(exemplar) ?? textFingerprint([imageFingerprint(image), Buffer.from(mask.data).toString('base64')]);
  known.set(exemplar, found);
  return found;
}
