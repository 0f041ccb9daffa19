import { shown, UsageError } from '../../util/index.js';

/** Boundary distance tolerance, for images of known pixel size and for others. */
export interface Tolerance {
  readonly mm: number;
  readonly px: number;
}

const DEFAULT: Tolerance = { mm: 1, px: 2 };
const MOST = 1e6;

/**
 * Parses distances such as `2 mm`, `0.1cm` and `3 px`.
 *
 * @returns the given values, with the default for an absent unit: 1 mm, 2 px.
 * @throws UsageError naming the option when one is not a length, or two are of one kind.
 */
export async function parseTolerance(where: string, texts: readonly string[]): Promise<Tolerance> {
  const given: Partial<Record<keyof Tolerance, number>> = {};
  for (const text of texts) {
    const [kind, value] = await parseLength(where, text);
    if (given[kind] !== undefined)
      throw new UsageError({
        code: 'E_OPTION_VALUE',
        where,
        what: `${shown(text)} is the second distance in ${kind}`,
        fix: 'Give one length and one in px',
      });
    given[kind] = value;
  }
  return { ...DEFAULT, ...given };
}

async function parseLength(where: string, text: string): Promise<[keyof Tolerance, number]> {
  const refused = (what: string) =>
    new UsageError({
      code: 'E_OPTION_VALUE',
      where,
      what: `${shown(text)} ${what}`,
      fix: 'Give a length as in "2 mm" or 0.1cm, or pixels as in 3px',
    });
  const [, digits = '', name = ''] = /^\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zA-Z]+)\s*$/.exec(text) ?? [];
  if (name === '') throw refused('is not a number with a unit');
  const number = Number(digits);
  const pixels = /^(px|pixels?)$/.test(name);
  const value = pixels ? number : await millimetres(number, name);
  if (value === undefined) throw refused(`has no unit of length: ${name}`);
  if (!(value > 0 && value <= MOST)) throw refused('is not a distance above 0 that an image could have');
  return [pixels ? 'px' : 'mm', value];
}

/** The units library is loaded only if a unit is given. */
async function millimetres(value: number, name: string): Promise<number | undefined> {
  if (name === 'mm') return value;
  const { unit } = await import('mathjs');
  try {
    const length = unit(value, name);
    return length.equalBase(unit('mm')) ? length.toNumber('mm') : undefined;
  } catch {
    return undefined; // an unknown unit
  }
}
