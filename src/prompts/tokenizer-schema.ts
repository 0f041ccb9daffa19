import { z } from 'zod';
import { shownName } from '../util/index.js';

/** Limits above any real vocabulary. */
const MAX_PIECES = 1_000_000;
const MAX_LETTERS = 1000;

const piece = z.string().max(MAX_LETTERS);
const id = z.int().nonnegative().max(MAX_PIECES);

/** Text normalisation steps, all of linear time. None takes a pattern from the file. */
const NORMALIZERS = ['Lowercase', 'StripAccents', 'NFC', 'NFD', 'NFKC', 'NFKD'];
const PRE_TOKENIZERS = ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'];

/** A step of a known kind, or a sequence of such steps. */
function steps(known: Readonly<Record<string, z.ZodType>>, list: string) {
  const checked = z.record(z.string(), z.unknown()).superRefine((step, context) => {
    const { type: given } = step;
    const type = typeof given === 'string' ? given : '';
    const own = Object.hasOwn(known, type) ? known[type] : undefined;
    if (own === undefined) {
      const message = `${shownName(type)} is not read here, only ${Object.keys(known).join(', ')}: a pattern of its own could take for ever`;
      context.addIssue({ code: 'custom', path: ['type'], message });
    } else for (const issue of own.safeParse(step).error?.issues ?? []) context.addIssue({ ...issue, code: 'custom' });
  });
  const sequence = z.object({ type: z.literal('Sequence'), [list]: z.array(checked).max(20) });
  return z.union([z.null(), sequence, checked]);
}

const flag = z.boolean().nullish();
const bertNormalizer = z.object({ clean_text: flag, handle_chinese_chars: flag, strip_accents: flag, lowercase: flag });
const named = (types: readonly string[]) => Object.fromEntries(types.map((type) => [type, z.object({})]));

const normalizer = steps({ BertNormalizer: bertNormalizer, ...named(NORMALIZERS) }, 'normalizers');
const preTokenizer = steps(named(PRE_TOKENIZERS), 'pretokenizers');

/**
 * The supported part of a `tokenizer.json`: BERT's WordPiece model, its normaliser and pre-tokenizer. The rest, decoding and
 * special tokens, does not affect the encoding of prompts and is ignored.
 */
export const tokenizerSchema = z.object({
  added_tokens: z
    .array(
      z.object({
        id,
        content: piece.min(1),
        single_word: z.boolean().default(false),
        lstrip: z.boolean().default(false),
        rstrip: z.boolean().default(false),
        normalized: z.boolean().default(false),
        special: z.boolean().default(true),
      }),
    )
    .max(10_000)
    .default([]),
  normalizer: normalizer.default(null),
  pre_tokenizer: preTokenizer.default(null),
  model: z.object({
    type: z.literal('WordPiece').default('WordPiece'),
    unk_token: piece.default('[UNK]'),
    continuing_subword_prefix: piece.default('##'),
    max_input_chars_per_word: z.int().positive().max(MAX_LETTERS).default(100),
    vocab: z
      .record(piece, id)
      .refine((vocab) => Object.keys(vocab).length <= MAX_PIECES, `it has more than ${MAX_PIECES} pieces`),
  }),
});
