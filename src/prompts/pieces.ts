import type { Tokenizer } from '@huggingface/tokenizers';
import { shown, UsageError } from '../util/index.js';

/**
 * The tokens of a phrase, without special ones around it.
 *
 * @throws UsageError when there are none.
 */
export function piecesOf(tokenizer: Tokenizer, phrase: string): readonly number[] {
  const pieces: readonly number[] = tokenizer.encode(phrase, { add_special_tokens: false }).ids;
  if (pieces.length > 0) return pieces;
  throw new UsageError({
    code: 'E_PROMPT_TEXT',
    where: 'prompt',
    what: `${shown(phrase)} holds no word`,
    fix: 'Say what to look for in words',
  });
}

/** What stands around the tokens of a text, and how many they may be with it. */
export interface TextFrame {
  readonly begin: number;
  readonly end: number;
  readonly longest: number;
}

/**
 * The tokens of one text between those of its beginning and end, without padding.
 *
 * @throws UsageError for a text without words, or with more tokens than the model's maximum.
 */
export function framedPieces(tokenizer: Tokenizer, text: string, { begin, end, longest }: TextFrame): Int32Array {
  const ids = Int32Array.from([begin, ...piecesOf(tokenizer, text), end]);
  if (ids.length <= longest) return ids;
  throw new UsageError({
    code: 'E_PROMPT_TOO_LONG',
    where: 'prompt',
    what: `${shown(text)} has ${ids.length} tokens, the model takes ${longest}`,
    fix: 'Use a shorter phrase',
  });
}
