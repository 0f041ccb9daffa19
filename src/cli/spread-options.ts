import type { BatchSettings } from '../infer/index.js';
import { PromptTokenizer } from '../prompts/index.js';
import { UsageError } from '../util/index.js';

/** Options for the spread of measures. */
export interface SpreadOptions {
  spread: boolean | undefined;
  wordings: string | undefined;
}

/** The same as yargs describes them. */
export const spreadOptions = {
  spread: {
    type: 'boolean',
    describe: 'also segment the mirrored image, and give each measure with its standard deviation; takes twice as long',
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
  if (wordings === undefined) return { wordings: {} };
  // Only loaded if wordings are given.
  const { readWordings, wordingsOf } = await import('../eval/index.js');
  const all = await readWordings(wordings);
  const others = phrases.map((phrase) => [phrase, wordingsOf(all, phrase).slice(1)] as const);
  return { wordings: Object.fromEntries(others.filter(([, list]) => list.length > 0)) };
}
