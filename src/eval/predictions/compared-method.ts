import type { Sample } from '../../data/index.js';
import type { RasterImage } from '../../imaging/index.js';
import { type BuiltEntry, createMethod, type ModelOf, RANDOM_WEIGHTS, weightParts } from '../../methods/index.js';
import { trainingDataOf } from '../../pretrained/index.js';
import type { Answer, Method, SeenInTraining } from '../../protocols/index.js';
import { type AnswerCache, type CachedBy, remembered } from './answer-cache.js';
import { textFingerprint, weightsFingerprint } from './fingerprint.js';
import { Lazy } from './lazy.js';
import { publishedNote } from './published-note.js';
import { seenBy } from './seen.js';

/** A method of the comparison in one form. */
export interface ComparedOptions<Entry extends BuiltEntry> {
  readonly entry: Entry;
  /** A folder, a file, the name of a downloaded model, or random ones; of several models, separated by commas. */
  readonly weights: string;
  readonly asPublished: boolean;
  readonly cache: AnswerCache;
}

/** The model and the cached answers that the rows of a method share; the model is loaded for the first uncached answer. */
export interface SharedModel<Entry extends BuiltEntry> extends ComparedOptions<Entry> {
  readonly model: Lazy<ModelOf<Entry>>;
  readonly cached: CachedBy;
}

/**
 * Opens a method in one form, without loading it.
 *
 * @param variant - whatever else its answers depend on.
 * @throws UsageError, HubError, CheckpointError naming missing weights.
 */
export async function shareModel<Entry extends BuiltEntry>(
  options: ComparedOptions<Entry>,
  variant: readonly string[] = [],
): Promise<SharedModel<Entry>> {
  const { entry, weights, asPublished, cache } = options;
  const fingerprints = await Promise.all(weightParts(entry, weights).map(weightsFingerprint));
  return {
    ...options,
    model: new Lazy(() => createMethod(entry, { weights, asPublished })),
    cached: { cache, identity: textFingerprint([entry.name, asPublished, ...fingerprints, ...variant]) },
  };
}

/** A row of the tables: a method of the comparison, and what it is given. */
export interface ComparedRow {
  /** What it is given, for its name; absent where there is one way. */
  readonly label?: string | undefined;
  readonly given: string;
  readonly scored: boolean;
  /** Name in tables. Default: the method's, with its form, its weights if they are random, and the label. */
  readonly name?: string | undefined;
  /** What a reader has to know besides the form. */
  readonly notes?: readonly string[];
}

/** A method of the comparison as one row of the tables; kinds differ in what they are given. */
export abstract class ComparedMethod<Entry extends BuiltEntry> implements Method {
  readonly name: string;
  readonly given: string;
  readonly note?: string;
  readonly scored: boolean;
  readonly untrained: boolean;
  protected readonly shared: SharedModel<Entry>;

  protected constructor(shared: SharedModel<Entry>, { label, given, scored, name, notes = [] }: ComparedRow) {
    const { entry, weights, asPublished } = shared;
    this.untrained = weights === RANDOM_WEIGHTS;
    const form = `${asPublished ? ' as published' : ''}${this.untrained ? ', random weights' : ''}`;
    this.name = name ?? `${entry.name}${form}${label === undefined ? '' : ` (${label})`}`;
    const known = [publishedNote(entry, asPublished), ...notes].filter((note) => note !== undefined);
    if (known.length > 0) this.note = known.join('; ');
    this.given = given;
    this.scored = scored;
    this.shared = shared;
  }

  abstract answer(sample: Sample, phrases: readonly string[]): Promise<Answer>;

  /** @param sample - with an image object of its own, since models keep what they computed for an image by it. */
  protected abstract compute(sample: Sample, phrase: string): Promise<unknown>;

  async predict(sample: Sample, [phrase = '']: readonly string[]): Promise<void> {
    await this.compute({ ...sample, image: { ...sample.image } }, phrase);
  }

  seen(dataset: string): SeenInTraining {
    if (this.untrained) return 'unknown';
    const { entry, weights } = this.shared;
    const own = trainingDataOf(weights);
    return own.length > 0 ? seenBy(own, dataset, 'training split') : seenBy(entry.trainedOn?.datasets, dataset);
  }

  dispose(): Promise<void> {
    return this.shared.model.dispose();
  }

  /** The cached answer to a question about an image, else a new one. */
  protected remembered(image: RasterImage, question: readonly unknown[], ask: () => Promise<Answer>): Promise<Answer> {
    return remembered(this.shared.cached, image, question, ask);
  }
}
