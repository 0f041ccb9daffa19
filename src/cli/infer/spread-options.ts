import type { BatchSettings } from '../../infer/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { UsageError } from '../../util/index.js';

/** Options for the spread of measures. */
export interface SpreadOptions {
  spread: boolean | undefined;
  wordings: string | undefined;
}

/** Thresholds of a mask's probability besides 0.5: how far their outlines are apart says how sharp an edge the model sees. */
const LEVELS = [0.3, 0.7] as const;

/** The same as yargs describes them. */
export const spreadOptions = {
  spread: {
    type: 'boolean',
    describe:
      'give each measure with its standard deviation over the mirrored image and two thresholds of the mask; takes twice as long',
  },
  wordings: {
    type: 'string',
    describe: 'with --spread: also ask in these words, each another pass: a YAML file, default, or wordings separated by commas',
  },
} as const;

/**
 * The settings that the options ask for.
 *
 * @throws UsageError for wordings without --spread, or a source of them that cannot be read.
 */
export async function spreadOf(
  { spread, wordings }: SpreadOptions,
  prompts: readonly string[],
): Promise<BatchSettings['spread']> {
  if (spread !== true) {
    if (wordings === undefined) return undefined;
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--wordings',
      what: 'it is for --spread',
      fix: 'Add --spread, or leave it out',
    });
  }
  const phrases = prompts.flatMap((prompt) => PromptTokenizer.parsePrompt(prompt));
  if (wordings === undefined) return { wordings: {}, levels: LEVELS };
  // Only loaded if wordings are given.
  const { readWordings, wordingsOf } = await import('../../eval/index.js');
  const all = await readWordings(wordings);
  const others = phrases.map((phrase) => [phrase, wordingsOf(all, phrase).slice(1)] as const);
  return { wordings: Object.fromEntries(others.filter(([, list]) => list.length > 0)), levels: LEVELS };
}
