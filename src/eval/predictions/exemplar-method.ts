import type { Sample } from '../../data/index.js';
import { type BoxXyxy, boxOfMask } from '../../imaging/index.js';
import type { Exemplar, ExemplarEntry } from '../../methods/index.js';
import { type Answer, type AnsweredBox, WHOLE } from '../../protocols/index.js';
import { DataError } from '../../util/index.js';
import { ComparedMethod, type ComparedOptions, type SharedModel, shareModel } from './compared-method.js';
import { imageFingerprint, textFingerprint } from './fingerprint.js';
import type { Support } from './support.js';

const NOWHERE: BoxXyxy = [0, 0, 0, 0];

export interface ExemplarMethodOptions extends ComparedOptions<ExemplarEntry> {
  readonly support: Support;
  /** Exemplars that were asked for, for the name. */
  readonly count: number;
  /** Name in tables. Default: the method's, with the number of exemplars. */
  readonly name?: string;
  /**
   * Whether its masks count with their scores: the best first, and an empty one as no detection. Default: false, as for the other
   * methods of the comparison.
   */
  readonly scored?: boolean;
}

/** A method of the comparison that is given exemplars: it segments in an image what their masks show. */
export class ExemplarMethod extends ComparedMethod<ExemplarEntry> {
  private readonly support: Support;

  private constructor(shared: SharedModel<ExemplarEntry>, { name, count, support, scored = false }: ExemplarMethodOptions) {
    const given = `${count} exemplar${count === 1 ? '' : 's'}`;
    super(shared, { label: given, given, scored, name, notes: support.notes });
    this.support = support;
  }

  /** @throws UsageError, HubError, CheckpointError naming missing weights. */
  static async open(options: ExemplarMethodOptions): Promise<ExemplarMethod> {
    return new ExemplarMethod(await shareModel(options, options.scored === true ? ['scored'] : []), options);
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
      answer.push(...(await this.remembered(sample.image, question, () => this.segment(sample, phrase, exemplars))));
    }
    return this.scored ? answer.sort((a, b) => b.score - a.score) : answer;
  }

  protected async compute(sample: Sample, phrase: string): Promise<Answer> {
    const exemplars = this.exemplarsOf(sample.dataset, phrase, true);
    return exemplars === undefined ? [] : this.segment(sample, phrase, exemplars);
  }

  /** One phrase that the dataset does not use stands for everything that an image shows. */
  private exemplarsOf(dataset: string, phrase: string, alone: boolean): readonly Exemplar[] | undefined {
    const own = this.support.exemplars.get(dataset);
    const exemplars = own?.get(phrase) ?? (alone ? own?.get(WHOLE) : undefined);
    return exemplars?.length === 0 ? undefined : exemplars;
  }

  private async segment({ image, file, id }: Sample, phrase: string, exemplars: readonly Exemplar[]): Promise<Answer> {
    const segmenter = await this.shared.model.get();
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
