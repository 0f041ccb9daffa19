import { DataError } from '../../util/index.js';

/** The header of one page of a TIFF. */
export interface TiffPage {
  readonly width: number;
  readonly height: number;
  /** Bits per sample; 0 if channels differ. */
  readonly bits: number;
  readonly format: 'unsigned' | 'signed' | 'float' | 'other';
  /** Samples per pixel, including transparency. */
  readonly samples: number;
  /** Whether the last sample is transparency. */
  readonly alpha: boolean;
  /** TIFF code: 1 none, 5 LZW, 7 JPEG, 8 and 32946 deflate, 32773 PackBits. */
  readonly compression: number;
  /** TIFF code: 0 grey with white as 0, 1 grey, 2 RGB, 3 palette. */
  readonly photometric: number;
  /** EXIF orientation; 1 is upright. */
  readonly orientation: number;
  /** Samples in the largest tile or strip. */
  readonly block: number;
}

/** Files with more pages are refused. Multi-page recordings have some thousands. */
const MAX_PAGES = 100_000;

const TAGS = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  planar: 284,
  tileWidth: 322,
  tileHeight: 323,
  extra: 338,
  format: 339,
} as const;

/** Size of a value in bytes, indexed by TIFF field type. */
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** Whether a file starts with the signature of TIFF or BigTIFF. */
export function isTiff(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  if (bytes.length < 8) return false;
  return (
    (a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0) ||
    (a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43))
  );
}

/**
 * Reads the pages of a TIFF from its directories alone. The file is untrusted: offsets and counts must lie within it, and
 * circular directory chains are refused.
 *
 * @throws DataError naming the file when it is damaged.
 */
export function tiffPages(bytes: Buffer, where: string): TiffPage[] {
  const damaged = () =>
    new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: 'it cannot be read as an image: its TIFF directory is damaged or cut off',
      fix: 'Copy or export it again',
    });
  const reader = new Reader(bytes, damaged);
  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  for (let at = reader.first(); at !== 0; ) {
    if (seen.has(at) || pages.length >= MAX_PAGES) throw damaged();
    seen.add(at);
    const { tags, next } = reader.directory(at);
    pages.push(pageOf(tags));
    at = next;
  }
  if (pages.length === 0) throw damaged();
  return pages;
}

function pageOf(tags: ReadonlyMap<number, readonly number[]>): TiffPage {
  const first = (tag: keyof typeof TAGS, otherwise: number) => tags.get(TAGS[tag])?.[0] ?? otherwise;
  const same = (tag: keyof typeof TAGS, otherwise: number) => {
    const values = tags.get(TAGS[tag]) ?? [otherwise];
    return values.every((value) => value === values[0]) ? (values[0] as number) : 0;
  };
  const [width, height, samples] = [first('width', 0), first('height', 0), first('samples', 1)];
  const tiled = tags.has(TAGS.tileWidth);
  const area = tiled
    ? first('tileWidth', 0) * first('tileHeight', 0)
    : width * Math.min(height, first('rowsPerStrip', height) || height);
  const extra = tags.get(TAGS.extra)?.at(-1);
  return {
    width,
    height,
    bits: same('bits', 1),
    format: (['other', 'unsigned', 'signed', 'float', 'unsigned'] as const)[same('format', 1)] ?? 'other',
    samples,
    alpha: samples % 2 === 0 && (extra === 1 || extra === 2),
    compression: first('compression', 1),
    photometric: first('photometric', 1),
    orientation: first('orientation', 1),
    block: area * (first('planar', 1) === 1 ? samples : 1),
  };
}

/** Reads numbers in either byte order and offset width. */
class Reader {
  private readonly bytes: Buffer;
  private readonly little: boolean;
  private readonly big: boolean;
  private readonly damaged: () => Error;

  constructor(bytes: Buffer, damaged: () => Error) {
    this.bytes = bytes;
    this.little = bytes[0] === 0x49;
    this.big = bytes[this.little ? 2 : 3] === 43;
    this.damaged = damaged;
  }

  first(): number {
    return this.big ? this.number(8, 8) : this.number(4, 4);
  }

  directory(at: number): { readonly tags: ReadonlyMap<number, readonly number[]>; readonly next: number } {
    const [head, step, wide] = this.big ? [8, 20, 8] : [2, 12, 4];
    const count = this.number(at, head);
    const tags = new Map<number, readonly number[]>();
    const known = new Set<number>(Object.values(TAGS));
    // Checked before the loop: a count of a million entries must fit the file.
    const end = at + head + count * step;
    const next = this.number(end, wide);
    for (let i = 0; i < count; i++) {
      const entry = at + head + i * step;
      const [tag, kind, values] = [this.number(entry, 2), this.number(entry + 2, 2), this.number(entry + 4, wide)];
      const size = SIZES[kind] ?? 0;
      const inline = size * values <= wide;
      const from = inline ? entry + 4 + wide : this.number(entry + 4 + wide, wide);
      if (from + size * values > this.bytes.length) throw this.damaged();
      if (!known.has(tag) || ![1, 2, 4, 8].includes(size)) continue;
      // None of the tags of interest has more values than a pixel has samples.
      tags.set(
        tag,
        Array.from({ length: Math.min(values, 64) }, (_, k) => this.number(from + k * size, size)),
      );
    }
    return { tags, next };
  }

  private number(at: number, size: number): number {
    if (!Number.isSafeInteger(at) || at < 0 || at + size > this.bytes.length) throw this.damaged();
    if (size === 8) return Number(this.little ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at));
    return this.little ? this.bytes.readUIntLE(at, size) : this.bytes.readUIntBE(at, size);
  }
}
