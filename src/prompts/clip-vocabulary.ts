/** Tokens around a text. */
const AROUND = ['<|startoftext|>', '<|endoftext|>'];

/** What CLIP puts after a piece that ends a word. */
const END_OF_WORD = '</w>';

/** Each byte as a letter that can be seen: itself if it can, else a letter from U+0100 on. In CLIP's order. */
function letters(): string[] {
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const seen = [...range(0x21, 0x7e), ...range(0xa1, 0xac), ...range(0xae, 0xff)];
  const others = range(0, 0xff).filter((byte) => !seen.includes(byte));
  return [...seen, ...others.map((_, i) => 0x100 + i)].map((code) => String.fromCharCode(code));
}

/** CLIP's vocabulary, which its merges determine: bytes, bytes that end a word, a piece for each merge, and the tokens around a text. */
export function clipVocabulary(merges: readonly (readonly [string, string])[]): Record<string, number> {
  const bytes = letters();
  const pieces = [...bytes, ...bytes.map((byte) => byte + END_OF_WORD), ...merges.map((pair) => pair.join('')), ...AROUND];
  return Object.fromEntries(pieces.map((piece, id) => [piece, id]));
}

/**
 * The `tokenizer.json` of a CLIP with these merges. Its pattern cannot come from a file, where one of its own could take for ever.
 */
export function clipTokenizerJson(merges: readonly (readonly [string, string])[]): object {
  const words = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
  return {
    added_tokens: [],
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }, { type: 'Lowercase' }],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: words }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: AROUND[1],
      continuing_subword_prefix: '',
      end_of_word_suffix: END_OF_WORD,
      fuse_unk: false,
      vocab: clipVocabulary(merges),
      merges: merges.map((pair) => [...pair]),
    },
  };
}
