import { DataError } from '../util/index.js';
import type { LevelMap } from './mask-levels.js';

/** The level from which a pixel is inside. */
export type MaskRule =
  /** Background only. */
  | { readonly inside: 'nothing' }
  /** Every value other than the background 0. */
  | { readonly inside: 'not-zero' }
  /** From half of the file's maximum. */
  | { readonly inside: 'from-half'; readonly top: number };

/** Maximum number of levels that may be individual class numbers. */
const FEW = 32;

/** Integers below this are class numbers: no tool draws in such dark grey. */
const DARK = 16;

/**
 * Levels between these fractions of the maximum are neither background noise nor inside: thresholding at half would drop them.
 */
const BETWEEN = [1 / 8, 1 / 2] as const;

/** Fraction of non-zero pixels that may have levels without an area of their own if levels are class numbers: thin structures. */
const THIN = 0.05;

/** Fraction of inside pixels that areas of intermediate level may reach before the levels are considered meaningful. */
const AREAS = { lossless: 0.02, lossy: 0.05 } as const;

/** Pixels separate from everything inside that may be dirt. */
const MIN_ISLAND = 4;

/**
 * In a soft-edged mask, far fewer pixels lie between a quarter and three quarters of the maximum than above; in an image, far
 * more.
 */
const PICTURE = 3;

/**
 * Determines the inside of a mask file from all of its levels: of all slices of a volume and all pages of a file, so that every
 * slice is read alike. Rationale: docs/decisions/0018-mask-levels.md.
 *
 * - Only 0: empty.
 * - One level, or two of which one is 0: everything non-zero.
 * - Class numbers (integers below 16, or up to 32 levels that fill areas of their own, without lossy compression): everything
 *   non-zero.
 * - Many levels: soft edges. Inside is from half of the file's own maximum.
 *
 * @param planes - called at most twice.
 * @throws DataError naming the file and the levels found, if none of these applies.
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
  // Resampling with kernels beyond linear undershoots slightly.
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

/** Distinguishes class numbers, soft edges and images by the spatial distribution of levels. */
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

/** All levels of a file, the first few listed. */
class Survey {
  /** Distinct non-zero levels, at most one more than {@link FEW}. */
  readonly levels = new Set<number>();
  top = Number.NEGATIVE_INFINITY;
  bottom = Number.POSITIVE_INFINITY;
  whole = true;
  lossy = false;
  coloured = false;
  /** Number of slices. */
  count = 0;

  add({ levels, lossy, coloured }: LevelMap): void {
    this.lossy ||= lossy;
    this.coloured ||= coloured;
    this.count += 1;
    let before: number | undefined;
    for (let i = 0; i < levels.length; i++) {
      const stored = levels[i] as number;
      if (stored === before) continue;
      before = stored;
      // NaN counts as 0; tools write it outside the measured region.
      const level = Number.isNaN(stored) ? 0 : stored;
      if (level > this.top) this.top = level;
      if (level < this.bottom) this.bottom = level;
      if (this.whole && !Number.isInteger(level)) this.whole = false;
      if (this.levels.size <= FEW || level === 0) this.levels.add(level === 0 ? 0 : level);
    }
  }

  /** The levels as text for messages. */
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

/** Pixel counts by neighbourhood. */
interface Areas {
  /** At the centre of a 3 x 3 area of one level that is neither dark nor inside. */
  readonly between: number;
  /** Neither dark nor inside, and not an edge of anything inside. Unknown for several slices: 0. */
  readonly islands: number;
  /** From half of the maximum. */
  readonly inside: number;
  /** From a quarter to three quarters of the maximum, and above. */
  readonly middle: number;
  readonly bright: number;
  /** Fraction of non-zero pixels at levels without any such 3 x 3 area. Unknown for more than a few levels: 1. */
  readonly thin: number;
}

async function lookAgain(planes: Parameters<typeof maskRule>[0], { top, levels, count }: Survey): Promise<Areas> {
  let [between, islands, inside, middle, bright] = [0, 0, 0, 0, 0];
  const own = levels.size <= FEW ? new Map([...levels].map((level) => [level, { pixels: 0, area: false }])) : undefined;
  for await (const { width, height, levels: plane } of planes()) {
    // Faint pixels in one of several slices may be the edge of an object in the next.
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

/** Number of pixels that are neither dark nor inside, nor connected to inside pixels through others like them. */
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
