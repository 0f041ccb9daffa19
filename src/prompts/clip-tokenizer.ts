import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { CheckpointError, modelPath, readModelText, shown } from '../util/index.js';
import { clipTokenizerJson, clipVocabulary } from './clip-vocabulary.js';
import { framedPieces, type TextFrame } from './pieces.js';

/** Limits above any real list of merges. */
const MAX_MERGES = 1_000_000;
const MAX_LETTERS = 1000;

type Merge = readonly [string, string];

const pair = z.union([z.tuple([z.string(), z.string()]), z.string().transform((text, context) => pairOf(text, context))]);

/** What is read of a `tokenizer.json`: the rest is the same for every CLIP. */
const schema = z.object({
  model: z.object({
    type: z.literal('BPE').optional(),
    vocab: z.record(z.string(), z.int()),
    merges: z.array(pair).max(MAX_MERGES),
  }),
});

/** Bounds of a tokenizer, which are its model's. */
export interface ClipTokenizerBounds {
  /** Size of the vocabulary. */
  readonly vocabSize: number;
  /** Tokens of the longest text. */
  readonly longest: number;
}

/** CLIP's byte-pair encoding of phrases. */
export class ClipTokenizer {
  private readonly tokenizer: Tokenizer;
  private readonly frame: TextFrame;

  private constructor(merges: readonly Merge[], longest: number) {
    const size = Object.keys(clipVocabulary(merges)).length;
    this.tokenizer = new Tokenizer(clipTokenizerJson(merges), {});
    this.frame = { begin: size - 2, end: size - 1, longest };
  }

  /**
   * Loads CLIP's tokenizer from a model directory: the merges of `tokenizer.json`, or else `merges.txt`, one a line. They determine
   * the vocabulary.
   *
   * @throws CheckpointError naming the file that is missing, invalid or of another vocabulary.
   */
  static async load(modelDir: string, { vocabSize, longest }: ClipTokenizerBounds): Promise<ClipTokenizer> {
    const [whole, list] = [modelPath(modelDir, 'tokenizer.json'), modelPath(modelDir, 'merges.txt')];
    const json = await readModelText(whole);
    const text = json === undefined ? await readModelText(list) : undefined;
    if (json === undefined && text === undefined)
      throw new CheckpointError({
        code: 'E_MODEL_INCOMPLETE',
        where: modelDir,
        what: 'there is neither tokenizer.json nor merges.txt',
        fix: "Copy CLIP's (those of openai/clip-vit-base-patch32) beside the weights",
      });
    try {
      const merges = json === undefined ? mergesOf(text as string) : mergesOfJson(json);
      const size = Object.keys(clipVocabulary(merges)).length;
      if (size !== vocabSize) throw new Error(`its vocabulary has ${size} tokens, the model's ${vocabSize}`);
      return new ClipTokenizer(merges, longest);
    } catch (cause) {
      throw new CheckpointError({
        code: 'E_MODEL_DAMAGED',
        where: json === undefined ? list : whole,
        what: `the tokenizer cannot be read (${(cause as Error).message})`,
        fix: "Copy CLIP's again (that of openai/clip-vit-base-patch32)",
        cause,
      });
    }
  }

  /** A tokenizer without merges: each byte is a token. */
  static ofBytes(longest: number): ClipTokenizer {
    return new ClipTokenizer([], longest);
  }

  /**
   * Encodes a phrase as written, but for its case: `<|startoftext|>left heart ventricle<|endoftext|>`, without padding.
   *
   * @throws UsageError for a phrase without words, or with more tokens than the model's maximum, where the authors' code cuts it.
   */
  encode(phrase: string): Int32Array {
    return framedPieces(this.tokenizer, phrase, this.frame);
  }
}

function mergesOf(text: string): Merge[] {
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.includes('#version'));
  if (lines.length > MAX_MERGES) throw new Error(`it has more than ${MAX_MERGES} merges`);
  return lines.map((line, i) => {
    const merge = split(line);
    if (merge === undefined) throw new Error(`merge ${i + 1}: expected two pieces, got ${shown(line)}`);
    return merge;
  });
}

function mergesOfJson(json: string): Merge[] {
  const parsed = schema.safeParse(JSON.parse(json));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { merges, vocab } = parsed.data.model;
  const odd = Object.entries(clipVocabulary(merges)).find(([piece, id]) => vocab[piece] !== id);
  if (odd !== undefined) throw new Error(`its ${shown(odd[0])} is number ${vocab[odd[0]] ?? 'none'}, where CLIP has ${odd[1]}`);
  return merges;
}

function split(line: string): Merge | undefined {
  const [first, second, ...more] = line.split(' ');
  if (line.length > MAX_LETTERS || !first || !second || more.length > 0) return undefined;
  return [first, second];
}

function pairOf(text: string, context: z.RefinementCtx): Merge {
  const merge = split(text);
  if (merge !== undefined) return merge;
  context.addIssue({ code: 'custom', message: `expected two pieces, got ${shown(text)}` });
  return z.NEVER;
}
