import type { Sample } from '../../data/index.js';
import type { RasterImage } from '../../imaging/index.js';
import type { GroundedSegmenter } from '../../infer/index.js';
import { createMethod, RANDOM_WEIGHTS, type TextEntry, weightParts } from '../../methods/index.js';
import type { Answer, Method, SeenInTraining } from '../../protocols/index.js';
import { type AnswerCache, type CachedBy, remembered } from './answer-cache.js';
import { textFingerprint, weightsFingerprint } from './fingerprint.js';
import { Lazy } from './lazy.js';
import { publishedNote } from './published-note.js';
import { seenBy } from './seen.js';

export interface TextMethodOptions {
  readonly entry: TextEntry;
  /** Folders, files, or names of downloaded models, as many as the method has; or random ones. */
  readonly weights: string;
  readonly asPublished: boolean;
  readonly cache: AnswerCache;
}

/** A method of the comparison that is given text: each phrase by itself, as it is. */
export class TextMethod implements Method {
  readonly name: string;
  readonly given = 'text';
  readonly note?: string;
  readonly scored = false;
  readonly untrained: boolean;
  private readonly entry: TextEntry;
  private readonly model: Lazy<GroundedSegmenter>;
  private readonly cached: CachedBy;

  private constructor({ entry, weights, asPublished, cache }: TextMethodOptions, fingerprints: readonly string[]) {
    this.untrained = weights === RANDOM_WEIGHTS;
    this.name = `${entry.name}${asPublished ? ' as published' : ''}${this.untrained ? ', random weights' : ''}`;
    const note = publishedNote(entry, asPublished);
    if (note !== undefined) this.note = note;
    this.entry = entry;
    this.model = new Lazy(() => createMethod(entry, { weights, asPublished }));
    this.cached = { cache, identity: textFingerprint([entry.name, asPublished, ...fingerprints]) };
  }

  /** @throws UsageError, HubError, CheckpointError naming missing weights. */
  static async open(options: TextMethodOptions): Promise<TextMethod> {
    const parts = weightParts(options.entry, options.weights);
    return new TextMethod(options, await Promise.all(parts.map(weightsFingerprint)));
  }

  async answer({ image }: Sample, phrases: readonly string[]): Promise<Answer> {
    const answers: Answer[] = [];
    for (const phrase of phrases)
      answers.push(await remembered(this.cached, image, ['text', phrase], () => this.segment(image, phrase)));
    return answers.flat();
  }

  async predict({ image }: Sample, [phrase = '']: readonly string[]): Promise<void> {
    // A new object, since models keep what they computed for an image by it.
    await this.segment({ ...image }, phrase);
  }

  seen(dataset: string): SeenInTraining {
    return this.untrained ? 'unknown' : seenBy(this.entry.trainedOn?.datasets, dataset);
  }

  dispose(): Promise<void> {
    return this.model.dispose();
  }

  private async segment(image: RasterImage, phrase: string): Promise<Answer> {
    return (await this.model.get()).segment(image, [phrase]);
  }
}
