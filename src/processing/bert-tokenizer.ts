import { Tokenizer } from '@huggingface/tokenizers';
import { CheckpointError, modelPath, readModelText } from '../util/index.js';

/** Pieces without which no prompt can be put together. */
const NEEDED = ['[CLS]', '[SEP]', '[UNK]', '.'];

/**
 * Reads BERT's tokenizer from a model directory: `tokenizer.json`, or else `vocab.txt`, one piece a line, as BERT uncased has it.
 *
 * @throws CheckpointError naming the file that is missing or cannot be used.
 */
export async function loadBertTokenizer(modelDir: string): Promise<Tokenizer> {
  const whole = modelPath(modelDir, 'tokenizer.json');
  const list = modelPath(modelDir, 'vocab.txt');
  const json = await readModelText(whole);
  const vocabulary = json === undefined ? await readModelText(list) : undefined;
  if (json === undefined && vocabulary === undefined)
    throw new CheckpointError({
      where: modelDir,
      what: 'there is neither tokenizer.json nor vocab.txt',
      fix: "Copy the model's own, or for the authors' Grounding DINO files the vocab.txt of bert-base-uncased, into the folder",
    });
  const where = json === undefined ? list : whole;
  try {
    const tokenizer = new Tokenizer(json === undefined ? fromVocabulary(vocabulary as string) : JSON.parse(json), {});
    const missing = NEEDED.filter((token) => tokenizer.token_to_id(token) === undefined);
    if (missing.length > 0) throw new Error(`it has no ${missing.join(', ')}`);
    return tokenizer;
  } catch (cause) {
    const what = `the tokenizer cannot be read (${(cause as Error).message})`;
    throw new CheckpointError({ where, what, fix: 'Copy or download it again', cause });
  }
}

/** What `tokenizer.json` of BERT uncased says, with the pieces of a `vocab.txt`. */
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
