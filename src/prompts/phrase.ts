import { shown, UsageError } from '../util/index.js';

/**
 * What parts the phrases of a prompt: a full stop before white space or at the end, and a line end. Grounding DINO's captions are
 * phrases joined by " . ". A stop between letters, as in `BI-RADS 4.a lesion`, parts nothing.
 */
const SEPARATOR = /\.(?=\s|$)|[\r\n]/;

/** Marks that close a phrase for Grounding DINO's text encoder wherever they stand: what is on one side does not see the other. */
const CLOSING_MARKS = /[.?]/g;

/**
 * The form in which a phrase is trained and asked for, whatever it comes from: a category, a caption, a prompt, a configuration.
 * Composed, in small letters, with single spaces; and without the marks that close a phrase, for which a space stands, so that
 * the words of one phrase see each other. `BI-RADS 4.a lesion.` is `bi-rads 4 a lesion`.
 *
 * @returns an empty text where there is no word: neither a letter nor a digit.
 */
export function canonicalPhrase(text: string): string {
  const words = text
    .normalize('NFC')
    // What cannot be seen: the tokenizer drops it too.
    .replace(/\p{Cf}|[^\P{Cc}\s]/gu, '')
    .replace(CLOSING_MARKS, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
  return /[\p{L}\p{N}]/u.test(words) ? words : '';
}

/**
 * As {@link canonicalPhrase}.
 *
 * @param where - what an error names.
 * @throws UsageError when there is no word in it.
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

/** The phrases of a prompt as they were written, without empty ones. */
export function splitPrompt(text: string): string[] {
  return text
    .split(SEPARATOR)
    .map((piece) => piece.trim())
    .filter((piece) => piece.replace(CLOSING_MARKS, '').trim() !== '');
}

/** How many lines are told, and how many spellings a line names. */
const LISTED = 10;
const SPELLINGS = 4;

/**
 * What to tell about phrases that are not read as they were written: those with a mark inside, and those that differ in nothing
 * that counts.
 *
 * @param written - as they were written.
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
  spellings.delete(''); // without a word: refused by whoever reads it
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

/** Whether a full stop or a question mark has something behind it. */
function hasMarkInside(phrase: string): boolean {
  const first = phrase.search(/[.?]/);
  return first >= 0 && /[^.?\s]/.test(phrase.slice(first));
}
