import { shown, UsageError } from '../util/index.js';

/**
 * Separates the phrases of a prompt: a full stop before white space or at the end, or a line break. Grounding DINO's captions are
 * phrases joined by " . ". A full stop between letters, as in `BI-RADS 4.a lesion`, does not separate.
 */
const SEPARATOR = /\.(?=\s|$)|[\r\n]/;

/**
 * Marks that end a phrase in Grounding DINO's text encoder wherever they occur: tokens on either side do not attend to each
 * other.
 */
const CLOSING_MARKS = /[.?]/g;

/**
 * Normalises a phrase for training and prompting, whatever its source: a category, a caption, a prompt, a configuration. Composed
 * Unicode, lower case, single spaces; marks that would end a phrase become spaces, so that its words attend to each other.
 * `BI-RADS 4.a lesion.` becomes `bi-rads 4 a lesion`.
 *
 * @returns an empty string if there is no word: neither a letter nor a digit.
 */
export function canonicalPhrase(text: string): string {
  const words = text
    .normalize('NFC')
    // Invisible characters, which the tokenizer drops too.
    .replace(/\p{Cf}|[^\P{Cc}\s]/gu, '')
    .replace(CLOSING_MARKS, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
  return /[\p{L}\p{N}]/u.test(words) ? words : '';
}

/**
 * {@link canonicalPhrase}, or an error.
 *
 * @param where - place named by the error.
 * @throws UsageError when it contains no word.
 */
export function phraseFrom(text: string, where: string): string {
  const phrase = canonicalPhrase(text);
  if (phrase !== '') return phrase;
  throw new UsageError({
    code: 'E_PROMPT_TEXT',
    where,
    what: `${shown(text)} holds no word`,
    fix: 'Say what to look for in words',
  });
}

/** The phrases of a prompt as written, without empty ones. */
export function splitPrompt(text: string): string[] {
  return text
    .split(SEPARATOR)
    .map((piece) => piece.trim())
    .filter((piece) => piece.replace(CLOSING_MARKS, '').trim() !== '');
}

/** Maximum number of lines, and of spellings per line. */
const LISTED = 10;
const SPELLINGS = 4;

/**
 * Notices about phrases that are changed by normalisation: those with a mark inside, and those that differ only in spelling.
 *
 * @param written - the phrases as written.
 * @returns a line for each of the first ten, and one for the others.
 */
export function respelt(written: Iterable<string>): string[] {
  const spellings = new Map<string, Set<string>>();
  for (const phrase of new Set(written)) {
    const read = canonicalPhrase(phrase);
    const known = spellings.get(read);
    if (known === undefined) spellings.set(read, new Set([phrase.trim()]));
    else known.add(phrase.trim());
  }
  spellings.delete(''); // without a word: refused by the reader
  const lines = [...spellings].flatMap(([read, phrases]) => {
    const listed = [...phrases].slice(0, SPELLINGS).map(shown);
    if (phrases.size > SPELLINGS) listed.push(`${phrases.size - SPELLINGS} more spellings`);
    const names = listed.join(' and ');
    if (phrases.size > 1) return [`${names} are one phrase, ${shown(read)}`];
    if (![...phrases].some(hasMarkInside)) return [];
    return [`${names} is read as ${shown(read)}: full stops and question marks inside would divide it`];
  });
  if (lines.length > LISTED) lines.splice(LISTED, lines.length, `and ${lines.length - LISTED} more phrases in the same way`);
  return lines;
}

/** Whether text follows a full stop or question mark. */
function hasMarkInside(phrase: string): boolean {
  const first = phrase.search(/[.?]/);
  return first >= 0 && /[^.?\s]/.test(phrase.slice(first));
}
