import type { Tokenizer } from '@huggingface/tokenizers';
import { tf } from '../backend/index.js';
import { UsageError } from '../util/index.js';
import { loadBertTokenizer } from './bert-tokenizer.js';

/** A prompt as the text encoder takes it. */
export interface EncodedPrompt {
  /** The phrases, each followed by a dot. */
  readonly text: string;
  readonly inputIds: Int32Array;
  /** The caller's phrases with the positions of their tokens in `inputIds`. */
  readonly phrases: readonly { readonly phrase: string; readonly tokens: readonly number[] }[];
}

/** BERT's tokenizer, as far as prompts made of phrases need it. */
export class PromptTokenizer {
  private readonly tokenizer: Tokenizer;
  private readonly maxTokens: number;

  constructor(tokenizer: Tokenizer, maxTokens: number) {
    this.tokenizer = tokenizer;
    this.maxTokens = maxTokens;
  }

  /**
   * Reads `tokenizer.json`, or else `vocab.txt`.
   *
   * @param maxTokens - the longest prompt that the model takes. Default: 256, Grounding DINO's.
   * @throws CheckpointError naming the file that is missing or cannot be used.
   */
  static async load(modelDir: string, maxTokens = 256): Promise<PromptTokenizer> {
    return new PromptTokenizer(await loadBertTokenizer(modelDir), maxTokens);
  }

  /**
   * Splits a prompt into phrases at dots and line ends.
   *
   * @throws UsageError when nothing is left.
   */
  static parsePrompt(text: string): string[] {
    const phrases = [
      ...new Set(
        text
          .split(/[.\n]/)
          .map(normalise)
          .filter((phrase) => phrase !== ''),
      ),
    ];
    if (phrases.length > 0) return phrases;
    throw new UsageError({ where: 'prompt', what: 'it is empty', fix: 'Say what to look for, as in "benign lesion. cyst."' });
  }

  /**
   * Encodes phrases as one prompt: `[CLS] benign lesion . cyst . [SEP]`.
   *
   * @throws UsageError when there is no phrase, or more tokens than the model takes.
   */
  encode(phrases: readonly string[]): EncodedPrompt {
    if (phrases.length === 0)
      throw new UsageError({ where: 'prompt', what: 'it is empty', fix: 'Say what to look for, as in "benign lesion. cyst."' });
    const idOf = (token: string) => this.tokenizer.token_to_id(token) as number;
    const ids = [idOf('[CLS]')];
    const spans = phrases.map((phrase) => {
      const pieces: readonly number[] = this.tokenizer.encode(normalise(phrase), { add_special_tokens: false }).ids;
      if (pieces.length === 0)
        throw new UsageError({ where: 'prompt', what: `"${phrase}" holds no word`, fix: 'Say what to look for in words' });
      const tokens = pieces.map((_, k) => ids.length + k);
      ids.push(...pieces, idOf('.'));
      return { phrase, tokens };
    });
    ids.push(idOf('[SEP]'));
    if (ids.length > this.maxTokens) {
      throw new UsageError({
        where: 'prompt',
        what: `it has ${ids.length} tokens, the model takes ${this.maxTokens}`,
        fix: phrases.length > 1 ? 'Ask for fewer phrases at a time' : 'Use a shorter phrase',
      });
    }
    return { text: phrases.map((phrase) => `${normalise(phrase)}.`).join(' '), inputIds: Int32Array.from(ids), phrases: spans };
  }

  /**
   * Encodes phrases as few prompts as possible, in their order, none longer than the model takes.
   *
   * @throws UsageError when there is no phrase, or one alone is too long.
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

function normalise(phrase: string): string {
  return phrase.trim().replace(/\s+/g, ' ').toLowerCase();
}

/** A batch of prompts, padded with zeros to the longest. All [B, T] i32. */
export interface TextBatch {
  readonly inputIds: tf.Tensor2D;
  /** 1 on tokens, 0 on padding. */
  readonly attentionMask: tf.Tensor2D;
  readonly tokenTypeIds: tf.Tensor2D;
}

/** Puts prompts into one batch. */
export function collateText(prompts: readonly EncodedPrompt[]): TextBatch {
  const length = Math.max(...prompts.map(({ inputIds }) => inputIds.length));
  const ids = new Int32Array(prompts.length * length);
  const mask = new Int32Array(prompts.length * length);
  for (const [b, { inputIds }] of prompts.entries()) {
    ids.set(inputIds, b * length);
    mask.fill(1, b * length, b * length + inputIds.length);
  }
  const shape: [number, number] = [prompts.length, length];
  return {
    inputIds: tf.tensor2d(ids, shape, 'int32'),
    attentionMask: tf.tensor2d(mask, shape, 'int32'),
    tokenTypeIds: tf.zeros(shape, 'int32'),
  };
}
