/**
 * Writes the nano vocabulary: BERT's uncased WordPiece with BERT's ids for the special tokens and for '.' and '?', which
 * Grounding DINO hard-codes (101, 102, 1012, 1029). Gaps are [unusedN], as in BERT.
 *
 *   node tools/tokenizer/make.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';

const SIZE = 4000;
const FIXED = { '[PAD]': 0, '[UNK]': 100, '[CLS]': 101, '[SEP]': 102, '[MASK]': 103, '.': 1012, '?': 1029 };
/** Id of BERT's first single character; words follow the characters. */
const FIRST_CHARACTER = 999;
/** Id of the first letter of other alphabets. */
const FIRST_LETTER = 104;

const here = new URL('.', import.meta.url);
const target = new URL('../../weights/nano-grounding-dino/', here);

const words = readFileSync(new URL('words.txt', here), 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .flatMap((line) => line.split(/\s+/))
  .filter((word) => word !== '');

const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter((c) => c === c.toLowerCase());
const greek = [...'αβγδεζηθικλμνξοπρστυφχψω°±×÷µ–—‘’“”…'];
const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const suffixes = [
  ...letters.flatMap((a) => letters.map((b) => a + b)),
  ...printable.filter((c) => /[a-z0-9]/.test(c)),
  ...'s es ed ing er ers est ly al ial ic ical ous ious ive ion ions tion tions sion ity ies ness ment ments able ible ful less like oid oma omas itis osis otic ary ory ate ated ating ation ations ize ized ism ist en ern th st nd rd an ian ar or ir ur el le il ol ul on in un at et it ot ut am em im om um ab eb ib ob ub ac ec ic oc uc ad ed id od ud ag eg ig og ug ap ep ip op up as is os us av ev iv ov ch sh ph gh ck ss ll tt nn mm rr ff pp gram graph graphy scope scopy pathy plasia plasm genic lucent echoic vascular cellular nodular lymph card ren hepat thyr mamm prost cyst aden fibro lip hem angio neuro myo osteo chondro derm gastr enter pulm bronch trache cerebr cephal crani spin vertebr'.split(
    ' ',
  ),
].map((piece) => `##${piece}`);

const taken = new Map(Object.entries(FIXED).map(([token, id]) => [id, token]));
const pieces = [...new Set([...printable, ...greek, ...words, ...suffixes])].filter((piece) => !(piece in FIXED));
let next = FIRST_CHARACTER;
for (const piece of pieces) {
  while (taken.has(next)) next += 1;
  taken.set(next, piece);
}
if (next >= SIZE) throw new Error(`the vocabulary has ${next + 1} entries, more than ${SIZE}`);

// Letters unchanged by lower-casing and accent removal, in BERT's gap before the characters.
const rest = [...'ßæøœþðđłıŋ', ...'абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ', ...'ابتثجحخدذرزسشصضطظعغفقكلمنهوي'];
for (const [i, letter] of [...rest, ...rest.map((letter) => `##${letter}`)].entries()) taken.set(FIRST_LETTER + i, letter);

let unused = 0;
const vocabulary = Array.from({ length: next + 1 }, (_, id) => taken.get(id) ?? `[unused${unused++}]`);
const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: special.map((content) => ({
    id: FIXED[content],
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
      { SpecialToken: { id: '[SEP]', type_id: 1 } },
    ],
    special_tokens: Object.fromEntries(
      ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [FIXED[token]], tokens: [token] }]),
    ),
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(vocabulary.map((piece, id) => [piece, id])),
  },
};
const config = {
  tokenizer_class: 'BertTokenizer',
  do_lower_case: true,
  model_max_length: 128,
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
};
const write = (name, text) => writeFileSync(new URL(name, target), `${text}\n`);
write('vocab.txt', vocabulary.join('\n'));
write('tokenizer.json', JSON.stringify(tokenizer));
write('tokenizer_config.json', JSON.stringify(config, null, 2));
process.stdout.write(`${vocabulary.length} pieces, ${pieces.length} of them in use\n`);
