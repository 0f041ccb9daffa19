import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The table that `tools/font/make.py` writes beside the font. Lengths are in font units. */
interface FontTable {
  readonly family: string;
  readonly unitsPerEm: number;
  readonly capHeight: number;
  readonly descent: number;
  /** Left and upper edge of the outline of a vertical bar. */
  readonly barLeft: number;
  readonly barTop: number;
  /** Advance widths of consecutive characters, keyed by the first one's code point in hexadecimal. */
  readonly widths: Readonly<Record<string, readonly number[]>>;
}

/** The bundled font: overlays look the same on every machine, including those without fonts. */
export class OverlayFont {
  /** Path of the OpenType file. */
  readonly file: string;
  readonly family: string;
  /** Cap height and descender depth for a font size of 1. */
  readonly capHeight: number;
  readonly descent: number;
  /** Left and upper edge of the outline of a vertical bar, for a font size of 1, from its origin. */
  readonly barLeft: number;
  readonly barTop: number;
  private readonly advances: ReadonlyMap<string, number>;
  private static shared: OverlayFont | undefined;

  private constructor(folder: URL) {
    this.file = fileURLToPath(new URL('sonoground-sans.otf', folder));
    const table = JSON.parse(readFileSync(new URL('sonoground-sans.json', folder), 'utf8')) as FontTable;
    this.family = table.family;
    this.capHeight = table.capHeight / table.unitsPerEm;
    this.descent = table.descent / table.unitsPerEm;
    this.barLeft = table.barLeft / table.unitsPerEm;
    this.barTop = table.barTop / table.unitsPerEm;
    this.advances = new Map(
      Object.entries(table.widths).flatMap(([first, widths]) =>
        widths.map((width, i) => [String.fromCodePoint(Number.parseInt(first, 16) + i), width / table.unitsPerEm]),
      ),
    );
  }

  static load(): OverlayFont {
    OverlayFont.shared ??= new OverlayFont(new URL('../../assets/fonts/', import.meta.url));
    return OverlayFont.shared;
  }

  /** Replaces characters that the font lacks by their code points, `U+80BF`, rather than indistinguishable boxes. */
  spell(text: string): string {
    const letters = Array.from(readable(text), (letter) => (this.advances.has(letter) ? letter : ` ${codeOf(letter)} `));
    return letters.join('').replace(/ +/g, ' ').trim();
  }

  /** The distinct characters of a text that the font lacks. */
  lacking(text: string): string[] {
    return [...new Set(readable(text))].filter((letter) => !this.advances.has(letter));
  }

  /** Width of a text from {@link spell} for a font size of 1. */
  widthOf(spelt: string): number {
    let width = 0;
    for (const letter of spelt) width += this.advances.get(letter) ?? 0;
    return width;
  }
}

/** Normalises to composed letters and one kind of space. */
function readable(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ');
}

function codeOf(letter: string): string {
  return `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
