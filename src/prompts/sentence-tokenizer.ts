import type { Tokenizer } from '@huggingface/tokenizers';
import { shown, UsageError } from '../util/index.js';
import { loadBertTokenizer } from './bert-tokenizer.js';

/** Tokens around a sentence, and for what the vocabulary lacks. */
const NEEDED = ['[CLS]', '[SEP]', '[UNK]'];

/** Ids by which PubMedBERT's vocabulary is known: BERT's has as many tokens, and other numbers. */
const NUMBERED = { '[CLS]': 2, '[SEP]': 3 };

/** WordPiece over whole sentences, for models that compare an image with a text. */
export class SentenceTokenizer {
  private readonly tokenizer: Tokenizer;
  private readonly maxTokens: number;

  constructor(tokenizer: Tokenizer, maxTokens: number) {
    this.tokenizer = tokenizer;
    this.maxTokens = maxTokens;
  }

  /**
   * Loads PubMedBERT's `tokenizer.json`, or else `vocab.txt`.
   *
   * @param maxTokens - maximum length of a sentence.
   * @param vocabulary - `any` for a model whose weights know none. Default: PubMedBERT's alone.
   * @throws CheckpointError naming the file that is missing, invalid or of another vocabulary.
   */
  static async load(
    modelDir: string,
    maxTokens: number,
    vocabulary: 'PubMedBERT' | 'any' = 'PubMedBERT',
  ): Promise<SentenceTokenizer> {
    const fix = "Copy BiomedCLIP's tokenizer.json or vocab.txt (PubMedBERT's) beside the weights";
    const needs = { needed: NEEDED, numbered: vocabulary === 'any' ? {} : NUMBERED, vocabulary, fix };
    return new SentenceTokenizer(await loadBertTokenizer(modelDir, needs), maxTokens);
  }

  /**
   * Encodes a sentence as written: `[CLS] a breast tumor . [SEP]`, without padding.
   *
   * @throws UsageError for a sentence without words, or with more tokens than the model's maximum.
   */
  encode(sentence: string): Int32Array {
    const pieces: readonly number[] = this.tokenizer.encode(sentence, { add_special_tokens: false }).ids;
    if (pieces.length === 0)
      throw new UsageError({
        code: 'E_PROMPT_TEXT',
        where: 'prompt',
        what: `${shown(sentence)} holds no word`,
        fix: 'Say what to look for in words',
      });
    const [first, last] = ['[CLS]', '[SEP]'].map((token) => this.tokenizer.token_to_id(token) as number) as [number, number];
    const ids = Int32Array.from([first, ...pieces, last]);
    if (ids.length <= this.maxTokens) return ids;
    throw new UsageError({
      code: 'E_PROMPT_TOO_LONG',
      where: 'prompt',
      what: `${shown(sentence)} has ${ids.length} tokens, the model takes ${this.maxTokens}`,
      fix: 'Use a shorter sentence',
    });
  }
}
