import { DataError } from '../util/index.js';
import type { LevelMap } from './mask-levels.js';

/** From which level on a pixel is inside. */
export type MaskRule =
  /** There is nothing but the background. */
  | { readonly inside: 'nothing' }
  /** Everything that is not the background 0. */
  | { readonly inside: 'not-zero' }
  /** From half of the file's own top on. */
  | { readonly inside: 'from-half'; readonly top: number };

/** Levels of a mask up to which they may be class numbers that mean something one by one. */
const FEW = 32;

/** Whole numbers below this are class numbers: no tool draws in grey as dark. */
const DARK = 16;

/** Levels between these shares of the top are neither the noise of the background nor inside: half of the top would drop them. */
const BETWEEN = [1 / 8, 1 / 2] as const;

/** Share of what is not 0 that may lie in levels without an area of their own, where levels are class numbers: thin parts. */
const THIN = 0.05;

/** Share of what is inside that levels in between may fill with areas of their own before they must mean something. */
const AREAS = { lossless: 0.02, lossy: 0.05 } as const;

/** Pixels of what is apart from everything inside that may be dirt. */
const MIN_ISLAND = 4;

/** Of a mask with soft edges far less is between a quarter and three quarters of the top than above; of a picture far more. */
const PICTURE = 3;

/**
 * Decides what is inside in a mask file, from all of its levels: those of all planes of a volume and all pages of a file, so
 * that no slice is read in another way than its neighbour. The reasons are in docs/decisions/0018-mask-levels.md.
 *
 * - Only 0: nothing is there.
 * - One level, or two of which one is 0: everything that is not 0.
 * - Class numbers (whole ones below 16, or up to 32 levels that fill areas of their own, without losses by compression):
 *   everything that is not 0.
 * - Many levels: soft edges. Inside is from half of the file's own top on.
 *
 * @param planes - called twice at most.
 * @throws DataError naming the file and the levels found, where they are none of these.
 */
export async function maskRule(planes: () => Iterable<LevelMap> | AsyncIterable<LevelMap>, where: string): Promise<MaskRule> {
  const found = new Survey();
  for await (const plane of planes()) found.add(plane);
  const { top, bottom, levels } = found;
  const refuse = (what: string, fix = FIX): never => {
    throw new DataError({ code: 'E_MASK_VALUE', where, what: `${what}: ${found.text()}`, fix });
  };
  if (!Number.isFinite(top) || !Number.isFinite(bottom)) return refuse('the mask holds infinite numbers');
  const only = levels.size === 1;
  if (only && top === 0) return { inside: 'nothing' };
  if (found.lossy && top < DARK) refuse('the levels of the mask are no higher than what its lossy compression leaves', LOSSLESS);
  if (only) {
    if (found.coloured) refuse('the background of the mask is not black, and all its colours are equally bright');
    if (top < 0) refuse('the mask is negative everywhere');
    return { inside: 'not-zero' };
  }
  if (levels.size === 2 && levels.has(0)) return { inside: 'not-zero' };
  const many = levels.size > FEW;
  // Resampling by anything smoother than lines goes a little below.
  if (bottom < 0 && !(many && bottom >= -top / 4)) refuse('the mask has negative levels beside others');
  const background = bottom <= 0 && (levels.has(0) || many);
  if (!background && bottom >= top / 4) refuse('the mask has no background 0');
  if (found.whole && top < DARK) {
    if (!background) refuse('the mask has no background 0');
    return { inside: 'not-zero' };
  }
  return severalLevels(await lookAgain(planes, found), found, refuse);
}

const FIX = 'Save it with 0 outside and one level inside';
const LOSSLESS = 'Save it as PNG, with 0 outside and one level inside';

/** Tells class numbers, soft edges and pictures apart by where in the image the levels are. */
function severalLevels(
  { between, islands, inside, middle, bright, thin }: Areas,
  { levels, lossy, top }: Survey,
  refuse: (what: string, fix?: string) => never,
): MaskRule {
  const few = !lossy && levels.size <= FEW && levels.has(0);
  if (few && thin === 0) return { inside: 'not-zero' };
  if (few && between > 0) {
    if (thin <= THIN) return { inside: 'not-zero' };
    refuse('the mask has levels that fill areas, and others between them');
  }
  if (between > inside * (lossy ? AREAS.lossy : AREAS.lossless))
    refuse('the mask has areas between dark and bright', `${FIX}, or without losses and soft edges`);
  if (middle > PICTURE * bright) refuse('it looks like an image, not like a mask');
  if (islands > Math.max(MIN_ISLAND, inside * AREAS.lossy))
    refuse('the mask shows something that is less than half as bright as the rest', `${FIX}, or without soft edges`);
  return { inside: 'from-half', top };
}

/** All levels of a file, the first few by name. */
class Survey {
  /** Those found, one more than {@link FEW} at most besides 0. */
  readonly levels = new Set<number>();
  top = Number.NEGATIVE_INFINITY;
  bottom = Number.POSITIVE_INFINITY;
  whole = true;
  lossy = false;
  coloured = false;
  /** Planes. */
  count = 0;

  add({ levels, lossy, coloured }: LevelMap): void {
    this.lossy ||= lossy;
    this.coloured ||= coloured;
    this.count += 1;
    let before: number | undefined;
    for (const stored of levels) {
      if (stored === before) continue;
      before = stored;
      // NaN stands for nothing, as tools write it outside of what they measured.
      const level = Number.isNaN(stored) ? 0 : stored;
      if (level > this.top) this.top = level;
      if (level < this.bottom) this.bottom = level;
      if (this.whole && !Number.isInteger(level)) this.whole = false;
      if (this.levels.size <= FEW || level === 0) this.levels.add(level === 0 ? 0 : level);
    }
  }

  /** The levels for a person to read. */
  text(): string {
    const short = (level: number) => String(Number(level.toPrecision(5)));
    const known = [...this.levels].sort((a, b) => a - b);
    if (known.length > 8)
      return `levels from ${short(this.bottom)} to ${short(this.top)}, ${atMost(known.length)} different ones`;
    return `level${known.length === 1 ? '' : 's'} ${known.map(short).join(', ')}`;
  }
}

function atMost(known: number): string {
  return known > FEW ? `more than ${FEW}` : String(known);
}

/** How many pixels are where. */
interface Areas {
  /** In the middle of nine of one level, which is neither dark nor inside. */
  readonly between: number;
  /** Neither dark nor inside, and not the edge of anything inside. Of several planes it is not known: 0. */
  readonly islands: number;
  /** From half of the top on. */
  readonly inside: number;
  /** From a quarter to three quarters of the top, and above. */
  readonly middle: number;
  readonly bright: number;
  /** Share of what is not 0 that is in levels without any such nine. Of more than a few levels it is not known: 1. */
  readonly thin: number;
}

async function lookAgain(planes: Parameters<typeof maskRule>[0], { top, levels, count }: Survey): Promise<Areas> {
  let [between, islands, inside, middle, bright] = [0, 0, 0, 0, 0];
  const own = levels.size <= FEW ? new Map([...levels].map((level) => [level, { pixels: 0, area: false }])) : undefined;
  for await (const { width, height, levels: plane } of planes()) {
    // What is faint in one plane of several may be the edge of what is in the next.
    if (count === 1) islands = apart(plane, width, top);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const level = plane[i] as number;
        if (level === 0 || Number.isNaN(level)) continue;
        if (level >= top / 2) inside += 1;
        if (level >= (top * 3) / 4) bright += 1;
        else if (level > top / 4) middle += 1;
        const entry = own?.get(level);
        if (entry !== undefined) entry.pixels += 1;
        if (x === 0 || y === 0 || x === width - 1 || y === height - 1 || !isFlat(plane, i, width)) continue;
        if (entry !== undefined) entry.area = true;
        if (level > top * BETWEEN[0] && level < top * BETWEEN[1]) between += 1;
      }
    }
  }
  const marks = [...(own ?? [])].flatMap(([level, entry]) => (level === 0 ? [] : [entry]));
  const all = marks.reduce((sum, { pixels }) => sum + pixels, 0);
  const without = marks.reduce((sum, { pixels, area }) => sum + (area ? 0 : pixels), 0);
  return { between, islands, inside, middle, bright, thin: all === 0 ? 1 : without / all };
}

/** How many pixels are neither dark nor inside, nor lead to what is inside by others such. */
function apart(plane: LevelMap['levels'], width: number, top: number): number {
  const faint = Uint8Array.from(plane, (level) => Number(level > top * BETWEEN[0]));
  const open: number[] = [];
  const reach = (i: number) => {
    if (faint[i] !== 1) return;
    faint[i] = 0;
    open.push(i);
  };
  for (const [i, level] of plane.entries()) if (level >= top / 2) reach(i);
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const x = i % width;
    for (const row of [i - width, i, i + width]) {
      if (x > 0) reach(row - 1);
      reach(row);
      if (x < width - 1) reach(row + 1);
    }
  }
  return faint.reduce((sum, value) => sum + value, 0);
}

/** Whether all eight neighbours have the same level. */
function isFlat(plane: LevelMap['levels'], i: number, width: number): boolean {
  const level = plane[i];
  for (const row of [i - width, i, i + width])
    if (plane[row - 1] !== level || plane[row] !== level || plane[row + 1] !== level) return false;
  return true;
}
