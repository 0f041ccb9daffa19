import type { Tokenizer } from '@huggingface/tokenizers';
import { loadBertTokenizer } from './bert-tokenizer.js';
import { framedPieces } from './pieces.js';

/** Tokens around a sentence, and for what the vocabulary lacks. */
const NEEDED = ['[CLS]', '[SEP]', '[UNK]'];

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
    const needs = { needed: NEEDED, bertUncased: vocabulary === 'any' ? 'any' : 'foreign', vocabulary, fix } as const;
    return new SentenceTokenizer(await loadBertTokenizer(modelDir, needs), maxTokens);
  }

  /**
   * Encodes a sentence as written: `[CLS] a breast tumor . [SEP]`, without padding.
   *
   * @throws UsageError for a sentence without words, or with more tokens than the model's maximum.
   */
  encode(sentence: string): Int32Array {
    const [begin, end] = ['[CLS]', '[SEP]'].map((token) => this.tokenizer.token_to_id(token) as number) as [number, number];
    return framedPieces(this.tokenizer, sentence, { begin, end, longest: this.maxTokens });
  }
}
