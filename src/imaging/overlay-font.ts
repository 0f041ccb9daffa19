import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The table that `tools/font/make.py` writes beside the font. Lengths are in units of the font's em. */
interface FontTable {
  readonly family: string;
  readonly unitsPerEm: number;
  readonly capHeight: number;
  readonly descent: number;
  /** Advances of consecutive characters, by the first one's code in hexadecimal. */
  readonly widths: Readonly<Record<string, readonly number[]>>;
}

/** The font that comes with the package: overlays look the same on every machine, also where there is no font at all. */
export class OverlayFont {
  /** Of the TrueType file. */
  readonly file: string;
  readonly family: string;
  /** Height of a capital, and depth of the letters that go below the line, for a font size of 1. */
  readonly capHeight: number;
  readonly descent: number;
  private readonly advances: ReadonlyMap<string, number>;
  private static shared: OverlayFont | undefined;

  private constructor(folder: URL) {
    this.file = fileURLToPath(new URL('sonoground-sans.ttf', folder));
    const table = JSON.parse(readFileSync(new URL('sonoground-sans.json', folder), 'utf8')) as FontTable;
    this.family = table.family;
    this.capHeight = table.capHeight / table.unitsPerEm;
    this.descent = table.descent / table.unitsPerEm;
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

  /**
   * A text as it can be written: characters that the font lacks stand as their codes, `U+80BF`, rather than as boxes that all
   * look the same.
   */
  spell(text: string): string {
    const letters = Array.from(readable(text), (letter) => (this.advances.has(letter) ? letter : ` ${codeOf(letter)} `));
    return letters.join('').replace(/ +/g, ' ').trim();
  }

  /** The characters of a text that the font lacks, each once. */
  lacking(text: string): string[] {
    return [...new Set(readable(text))].filter((letter) => !this.advances.has(letter));
  }

  /** Width of a spelt text for a font size of 1. */
  widthOf(spelt: string): number {
    let width = 0;
    for (const letter of spelt) width += this.advances.get(letter) ?? 0;
    return width;
  }
}

/** Composed letters where there are any, and one kind of space. */
function readable(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ');
}

function codeOf(letter: string): string {
  return `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
