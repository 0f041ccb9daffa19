import type { Sample } from '../../data/index.js';
import type { TextEntry } from '../../methods/index.js';
import type { Answer } from '../../protocols/index.js';
import { ComparedMethod, type ComparedOptions, shareModel } from './compared-method.js';

/** A method of the comparison that is given text: each phrase by itself, as it is. */
export class TextMethod extends ComparedMethod<TextEntry> {
  /** @throws UsageError, HubError, CheckpointError naming missing weights. */
  static async open(options: ComparedOptions<TextEntry>): Promise<TextMethod> {
    return new TextMethod(await shareModel(options), { given: 'text', scored: false });
  }

  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const answers: Answer[] = [];
    for (const phrase of phrases)
      answers.push(await this.remembered(sample.image, ['text', phrase], () => this.compute(sample, phrase)));
    return answers.flat();
  }

  protected async compute({ image }: Sample, phrase: string): Promise<Answer> {
    return (await this.shared.model.get()).segment(image, [phrase]);
  }
}
