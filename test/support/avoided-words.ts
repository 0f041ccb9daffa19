/** Where phrases are looked for: `docs`, `cli` and `errors`; `docs/glossary.md` says what each covers. */
export type Scope = 'docs' | 'cli' | 'errors';

/** A phrase to avoid, and the term that takes its place. */
export interface AvoidedPhrase {
  readonly phrase: string;
  readonly term: string;
  readonly scopes: readonly Scope[];
  readonly pattern: RegExp;
}

/** A text with a name that a person finds it by, and the line on which it begins. */
export interface SourceText {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const SCOPES = ['docs', 'cli', 'errors'] as const;

/**
 * Reads the column "do not use" of a glossary.
 *
 * @throws Error naming the row when a phrase has no scope, or one that is not known.
 */
export function avoidedPhrases(glossary: string): AvoidedPhrase[] {
  return glossary.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length !== 7 || cells[4] === '' || cells[4] === 'do not use' || /^-+$/.test(cells[4] ?? '')) return [];
    const [, term = '', , , phrases = '', scopes = ''] = cells;
    const names = phrases.split(';').map((name) => name.trim());
    const lists = scopes.split(';').map(scopesOf);
    if (lists.length !== 1 && lists.length !== names.length) throw new Error(`glossary, ${term}: a scope for each phrase`);
    return names.map((phrase, i) => ({ phrase, term, scopes: lists[i] ?? lists[0] ?? [], pattern: patternOf(phrase) }));
  });
}

function scopesOf(cell: string): readonly Scope[] {
  if (cell.trim() === 'everywhere') return SCOPES;
  return cell.split(',').map((text) => {
    const scope = SCOPES.find((known) => known === text.trim());
    if (scope === undefined) throw new Error(`glossary: no scope is called ${JSON.stringify(text.trim())}`);
    return scope;
  });
}

function patternOf(phrase: string): RegExp {
  const words = phrase.split(' ').map((word) => word.replaceAll('*', '\\p{L}*').replaceAll("'", "['’]"));
  return new RegExp(`(?<![\\p{L}\\p{N}_.-])${words.join('[\\s-]+')}s?(?![\\p{L}\\p{N}_-])`, 'giu');
}

/** Every use of a phrase in texts of a scope, as `file:line: found, use term`. */
export function findAvoided(texts: Iterable<SourceText>, phrases: readonly AvoidedPhrase[], scope: Scope): string[] {
  const own = phrases.filter(({ scopes }) => scopes.includes(scope));
  return [...texts].flatMap(({ file, line, text }) =>
    own.flatMap(({ pattern, term }) =>
      [...text.matchAll(pattern)].map(({ 0: found, index }) => {
        const before = text.slice(0, index).split('\n').length - 1;
        return `${file}:${line + before}: "${found.replace(/\s+/g, ' ')}", use "${term}"`;
      }),
    ),
  );
}

/** Markdown without code and the targets of links; lines keep their numbers. */
export function prose(markdown: string): string {
  const blank = (text: string) => text.replace(/[^\n]+/g, '');
  return markdown
    .replace(/^( *)```[\s\S]*?^\1```$/gm, blank)
    .replace(/`[^`]*`/g, (code) => `…${code.replace(/[^\n]/g, '')}`)
    .replace(/\]\([^)]*\)/g, '](…)')
    .replace(/https?:\S+/g, '…');
}
