import { Tokenizer } from '@huggingface/tokenizers';
import type { z } from 'zod';
import { CheckpointError, modelPath, readModelText, shownName } from '../util/index.js';
import { tokenizerSchema } from './tokenizer-schema.js';

/** Tokens required to assemble a prompt. */
const NEEDED = ['[CLS]', '[SEP]', '[UNK]', '.'];

/** Tokens whose ids are fixed in Grounding DINO's text encoder: they separate the phrases of a prompt. */
const NUMBERED = { '[CLS]': 101, '[SEP]': 102, '.': 1012, '?': 1029 };

/** Requirements of a text encoder. */
interface TokenizerNeeds {
  /** Tokens that it must have. Default: those of a prompt. */
  readonly needed?: readonly string[];
  /**
   * What the ids of BERT uncased are to the model: `own`, by which its vocabulary is known; `foreign`, where its own has as many tokens in
   * another order; or `any`. Default: `own`.
   */
  readonly bertUncased?: 'own' | 'foreign' | 'any';
  /** The vocabulary of the model. Default: BERT uncased. */
  readonly vocabulary?: string;
  /** Advice where there are no files. */
  readonly fix?: string;
}

const FROM_BERT =
  "Copy the model's own, or for the authors' Grounding DINO files the vocab.txt of bert-base-uncased, into the folder";

/** Problems listed in an error. */
const LISTED = 5;

/**
 * Loads BERT's tokenizer from a model directory: `tokenizer.json`, or else `vocab.txt`, one token per line, as in BERT uncased.
 *
 * @throws CheckpointError naming the missing or invalid file.
 */
export async function loadBertTokenizer(
  modelDir: string,
  { needed = NEEDED, bertUncased = 'own', vocabulary: known = 'BERT uncased', fix = FROM_BERT }: TokenizerNeeds = {},
): Promise<Tokenizer> {
  const whole = modelPath(modelDir, 'tokenizer.json');
  const list = modelPath(modelDir, 'vocab.txt');
  const json = await readModelText(whole);
  const vocabulary = json === undefined ? await readModelText(list) : undefined;
  if (json === undefined && vocabulary === undefined)
    throw new CheckpointError({
      code: 'E_MODEL_INCOMPLETE',
      where: modelDir,
      what: 'there is neither tokenizer.json nor vocab.txt',
      fix,
    });
  const where = json === undefined ? list : whole;
  try {
    const whole = json === undefined ? fromVocabulary(vocabulary as string) : JSON.parse(json);
    const tokenizer = new Tokenizer({ ...checked(whole), post_processor: null, decoder: null }, {});
    const missing = needed.filter((token) => tokenizer.token_to_id(token) === undefined);
    if (missing.length > 0) throw new Error(`it has no ${missing.join(', ')}`);
    for (const [token, number] of Object.entries(bertUncased === 'own' ? NUMBERED : {})) {
      const own = tokenizer.token_to_id(token) ?? number;
      if (own !== number) throw new Error(`its ${token} is number ${own}, where ${known} has ${number}`);
    }
    const { '[CLS]': first } = NUMBERED;
    if (bertUncased === 'foreign' && tokenizer.token_to_id('[CLS]') === first)
      throw new Error(`its [CLS] is number ${first}, as in BERT uncased, which is not ${known}`);
    return tokenizer;
  } catch (cause) {
    const what = `the tokenizer cannot be read (${(cause as Error).message})`;
    throw new CheckpointError({ code: 'E_MODEL_DAMAGED', where, what, fix: 'Copy or download it again', cause });
  }
}

function checked(json: unknown): z.infer<typeof tokenizerSchema> {
  const parsed = tokenizerSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(deepest).map(({ path, message }) => `${shownName(path.join('.'))}: ${message}`);
  throw new Error([...new Set(problems)].slice(0, LISTED).join('; '));
}

/** For a union, the issues of the member that matched the value furthest. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [inner] = issue.errors.flat().sort((a, b) => b.path.length - a.path.length);
  return inner === undefined ? [issue] : [{ ...inner, path: [...issue.path, ...inner.path] }];
}

/** The `tokenizer.json` of BERT uncased, with the tokens of a `vocab.txt`. */
function fromVocabulary(text: string): object {
  const pieces = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].filter((piece) => Object.hasOwn(vocab, piece));
  return {
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab },
  };
}
