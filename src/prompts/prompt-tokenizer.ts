import type { Tokenizer } from '@huggingface/tokenizers';
import { DataError, shown, UsageError } from '../util/index.js';
import { loadBertTokenizer } from './bert-tokenizer.js';
import { phraseFrom, splitPrompt } from './phrase.js';
import { piecesOf } from './pieces.js';

/** A prompt encoded for the text encoder. */
export interface EncodedPrompt {
  /** The phrases, each followed by a dot. */
  readonly text: string;
  readonly inputIds: Int32Array;
  /** The caller's phrases with the positions of their tokens in `inputIds`. */
  readonly phrases: readonly { readonly phrase: string; readonly tokens: readonly number[] }[];
}

/** BERT's tokenizer, restricted to prompts made of phrases. */
export class PromptTokenizer {
  private readonly tokenizer: Tokenizer;
  private readonly maxTokens: number;

  constructor(tokenizer: Tokenizer, maxTokens: number) {
    this.tokenizer = tokenizer;
    this.maxTokens = maxTokens;
  }

  /**
   * Loads `tokenizer.json`, or else `vocab.txt`.
   *
   * @param maxTokens - the model's maximum prompt length. Default: 256, Grounding DINO's.
   * @throws CheckpointError naming the missing or invalid file.
   */
  static async load(modelDir: string, maxTokens = 256): Promise<PromptTokenizer> {
    return new PromptTokenizer(await loadBertTokenizer(modelDir), maxTokens);
  }

  /**
   * Splits a prompt into distinct canonical phrases: at full stops before white space or the end, and at line breaks. A full stop
   * between letters does not separate.
   *
   * @throws UsageError when nothing is left, or a part contains no word.
   */
  static parsePrompt(text: string): string[] {
    const phrases = [...new Set(splitPrompt(text).map((piece) => phraseFrom(piece, 'prompt')))];
    if (phrases.length > 0) return phrases;
    throw empty();
  }

  /**
   * Encodes phrases as one prompt: `[CLS] benign lesion . cyst . [SEP]`.
   *
   * @param phrases - in any form; each is encoded in its canonical one.
   * @throws UsageError without phrases, for one without a word, when two have the same tokens, or for more tokens than the
   *   model's maximum.
   */
  encode(phrases: readonly string[]): EncodedPrompt {
    if (phrases.length === 0) throw empty();
    const ids = [this.idOf('[CLS]')];
    const known = new Map<string, string>();
    const words = phrases.map((phrase) => phraseFrom(phrase, 'prompt'));
    const spans = phrases.map((phrase, i) => {
      const pieces = this.piecesOf(words[i] as string);
      const twin = known.get(pieces.join());
      if (twin !== undefined)
        throw new UsageError({
          code: 'E_PROMPT_DUPLICATE',
          where: 'prompt',
          what: `${shown(twin)} and ${shown(phrase)} are the same to the tokenizer`,
          fix: 'Name each thing once',
        });
      known.set(pieces.join(), phrase);
      const tokens = pieces.map((_, k) => ids.length + k);
      ids.push(...pieces, this.idOf('.'));
      return { phrase, tokens };
    });
    ids.push(this.idOf('[SEP]'));
    if (ids.length > this.maxTokens) {
      const [first] = phrases;
      throw new UsageError({
        code: 'E_PROMPT_TOO_LONG',
        where: 'prompt',
        what: `${phrases.length > 1 ? 'it' : shown(first)} has ${ids.length} tokens, the model takes ${this.maxTokens}`,
        fix: phrases.length > 1 ? 'Ask for fewer phrases at a time' : 'Use a shorter phrase',
      });
    }
    return { text: words.map((phrase) => `${phrase}.`).join(' '), inputIds: Int32Array.from(ids), phrases: spans };
  }

  /** Whether phrases fit in one prompt: they are distinct, and within the model's maximum number of tokens. */
  fits(phrases: readonly string[]): boolean {
    try {
      return this.encode(phrases).phrases.length === phrases.length;
    } catch (error) {
      if (error instanceof UsageError) return false;
      throw error;
    }
  }

  /**
   * Validates the phrases of a dataset before any is used.
   *
   * @param where - place named by errors.
   * @throws DataError naming a phrase without a word, with more tokens than the model's maximum, or with the same tokens as
   *   another.
   */
  check(phrases: readonly string[], where: string): void {
    const twins = new Map<string, string>();
    for (const phrase of phrases) {
      const { inputIds } = asData(where, () => this.encode([phrase]));
      const twin = twins.get(inputIds.join());
      if (twin !== undefined)
        throw new DataError({
          code: 'E_PROMPT_DUPLICATE',
          where,
          what: `${shown(twin)} and ${shown(phrase)} are the same to the tokenizer`,
          fix: 'Give both one name',
        });
      twins.set(inputIds.join(), phrase);
    }
  }

  private idOf(token: string): number {
    return this.tokenizer.token_to_id(token) as number;
  }

  private piecesOf(phrase: string): readonly number[] {
    const pieces = piecesOf(this.tokenizer, phrase);
    const closing = CLOSING_TOKENS.find((token) => pieces.includes(this.idOf(token)));
    if (closing !== undefined)
      throw new UsageError({
        code: 'E_PROMPT_TEXT',
        where: 'prompt',
        what: `${shown(phrase)} holds ${closing}, which ends a phrase`,
        fix: 'Leave it out',
      });
    return pieces;
  }

  /**
   * Encodes phrases as few prompts as possible, in order, within the model's maximum number of tokens.
   *
   * @throws UsageError without phrases, or when a single one is too long.
   */
  encodeAll(phrases: readonly string[]): EncodedPrompt[] {
    const groups: string[][] = [[]];
    let length = FRAME_TOKENS;
    for (const phrase of phrases) {
      const tokens = this.encode([phrase]).inputIds.length - FRAME_TOKENS;
      if (length + tokens > this.maxTokens) {
        groups.push([]);
        length = FRAME_TOKENS;
      }
      (groups.at(-1) as string[]).push(phrase);
      length += tokens;
    }
    return groups.map((group) => this.encode(group));
  }
}

/** The special tokens around a prompt. */
const FRAME_TOKENS = 2;

/** Tokens that end a phrase in the text encoder. */
const CLOSING_TOKENS = ['[CLS]', '[SEP]', '.', '?'];

/** Rethrows errors about a prompt as errors about data. */
export function asData<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    // Codes about prompts belong to both classes.
    const code = cause.code as Extract<UsageError['code'], DataError['code']>;
    throw new DataError({ code, where, what: cause.what, ...(cause.fix !== undefined && { fix: cause.fix }), cause });
  }
}

function empty(): UsageError {
  return new UsageError({
    code: 'E_PROMPT_TEXT',
    where: 'prompt',
    what: 'it is empty',
    fix: 'Say what to look for, as in "benign lesion. cyst."',
  });
}
