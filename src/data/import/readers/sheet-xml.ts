import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { SheetError } from './sheet-error.js';

/** Excel's own limits. */
const MAX_COLUMNS = 16_384;
const MAX_ROWS = 1_048_576;
const MAX_CHARACTERS = 32_767;

/** Maximum cells (including empty ones in between) and characters of a table: far above any list of images. */
const MAX_CELLS = 4_000_000;
const MAX_TEXT = 100_000_000;

/** Maximum element nesting; a sheet has about ten levels. */
const MAX_DEPTH = 64;

/** Streaming reader of one part of a workbook: memory grows with its content, not with the XML. Custom entities are ignored. */
export abstract class XmlReader {
  private readonly parser = new SaxesParser<{ xmlns: false }>({ xmlns: false });
  private depth = 0;

  constructor() {
    this.parser.on('error', (error) => {
      throw new SheetError(`its XML is damaged: ${error.message.replace(/\.$/, '')}`);
    });
    this.parser.on('opentag', (tag) => {
      this.depth++;
      if (this.depth > MAX_DEPTH) throw new SheetError(`its elements lie more than ${MAX_DEPTH} deep in each other`);
      this.open(plain(tag.name), tag);
    });
    this.parser.on('closetag', ({ name }) => {
      this.depth--;
      this.close(plain(name));
    });
    this.parser.on('text', (text) => this.text(text));
    this.parser.on('cdata', (text) => this.text(text));
  }

  /** @throws SheetError for damaged XML and for limits that no table reaches. */
  write(xml: string): void {
    this.parser.write(xml);
  }

  end(): void {
    this.parser.close();
  }

  protected abstract open(name: string, tag: SaxesTagPlain): void;
  protected abstract close(name: string): void;
  protected abstract text(text: string): void;
}

/** The text of the current element, without the phonetic guides of East Asian text. */
class Collected {
  private value = '';
  private inText = false;
  private guides = 0;

  open(name: string): void {
    if (name === 'rPh') this.guides++;
    if (name === 't' || name === 'v') this.inText = this.guides === 0;
  }

  close(name: string): void {
    if (name === 'rPh') this.guides--;
    if (name === 't' || name === 'v') this.inText = false;
  }

  add(text: string): void {
    if (!this.inText) return;
    this.value += text;
    if (this.value.length > MAX_CHARACTERS) throw new SheetError(`a cell of it has more than ${MAX_CHARACTERS} characters`);
  }

  take(): string {
    const taken = this.value;
    this.value = '';
    return taken;
  }
}

/** Shared strings, which cells reference by index. */
export class SharedStrings extends XmlReader {
  readonly strings: string[] = [];
  private readonly collected = new Collected();

  protected open(name: string): void {
    this.collected.open(name);
  }

  protected close(name: string): void {
    this.collected.close(name);
    if (name !== 'si') return;
    this.strings.push(this.collected.take());
    if (this.strings.length > MAX_CELLS) throw new SheetError(`it has more than ${MAX_CELLS} texts`);
  }

  protected text(text: string): void {
    this.collected.add(text);
  }
}

/** The rows of a sheet. */
export class SheetCells extends XmlReader {
  readonly rows: string[][] = [];
  private readonly strings: readonly string[];
  private readonly collected = new Collected();
  private row: string[] | undefined;
  private cell: { readonly column: number; readonly type: string | undefined } | undefined;
  private cells = 0;
  private characters = 0;

  constructor(strings: readonly string[]) {
    super();
    this.strings = strings;
  }

  protected open(name: string, { attributes }: SaxesTagPlain): void {
    if (name === 'row') {
      this.row = [];
      this.rows.push(this.row);
      if (this.rows.length > MAX_ROWS) throw new SheetError(`it has more than ${MAX_ROWS} rows`);
    } else if (name === 'c' && this.row !== undefined)
      this.cell = { column: columnOf(attributes['r'], this.row.length), type: attributes['t'] };
    else if (this.cell !== undefined) this.collected.open(name);
  }

  protected close(name: string): void {
    if (name === 'row') this.row = undefined;
    else if (name === 'c' && this.row !== undefined && this.cell !== undefined) {
      this.put(this.row, this.cell.column, this.textOf(this.cell.type));
      this.cell = undefined;
    } else if (this.cell !== undefined) this.collected.close(name);
  }

  protected text(text: string): void {
    if (this.cell !== undefined) this.collected.add(text);
  }

  private textOf(type: string | undefined): string {
    const own = this.collected.take();
    return type === 's' ? (this.strings[Number(own)] ?? '') : own;
  }

  private put(row: string[], column: number, value: string): void {
    this.cells += Math.max(0, column + 1 - row.length);
    this.characters += value.length;
    if (this.cells > MAX_CELLS) throw new SheetError(`it has more than ${MAX_CELLS} cells`);
    if (this.characters > MAX_TEXT) throw new SheetError(`its cells hold more than ${MAX_TEXT} characters`);
    while (row.length < column) row.push('');
    row[column] = value;
  }
}

/** Strips the namespace prefix. */
function plain(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** A is 0, Z 25, AA 26; a cell without a reference follows the previous one. */
function columnOf(reference: string | undefined, next: number): number {
  const letters = /^[A-Z]+/.exec(reference ?? '')?.[0];
  // Excel's last column has three letters.
  const column =
    letters === undefined || letters.length > 3
      ? next
      : [...letters].reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  if ((letters?.length ?? 0) <= 3 && column < MAX_COLUMNS) return column;
  throw new SheetError(`it has a cell in column ${letters?.slice(0, 12) ?? column + 1}, beyond XFD, the last of a sheet`);
}
