import type { RasterImage } from '../../imaging/index.js';
import { iou } from '../../metrics/index.js';
import { mirrorImage, mirrorMask, mirrorPhrase } from '../../processing/index.js';
import type { BoxSegment, Segment } from '../segmenter.js';

/** What to vary to learn how far measures spread. */
export interface SpreadSettings {
  /** Other wordings of a phrase, each asked for alone. The mirrored image is always a variant. */
  readonly wordings: Readonly<Record<string, readonly string[]>>;
  /** Thresholds of the mask's probability, in (0, 1), in place of 0.5. Default: none. */
  readonly levels?: readonly number[] | undefined;
}

/** What each variant of the input gave for a phrase. */
export type Variants = ReadonlyMap<string, readonly (readonly Segment[])[]>;

/** Masks that overlap less show another thing. */
const SAME = 0.5;

/** Segments an image with a prompt. */
type Segmenting = (image: RasterImage, phrases: readonly string[]) => Promise<readonly (Segment | BoxSegment)[]>;

/** Segments variants of an image: its phrases in other words, and its mirror image. One pass of the models for each. */
export async function variantsOf(
  segment: Segmenting,
  image: RasterImage,
  prompts: readonly (readonly string[])[],
  { wordings }: SpreadSettings,
): Promise<Variants> {
  const variants = new Map<string, (readonly Segment[])[]>();
  const add = (phrase: string, found: readonly Segment[]) => variants.set(phrase, [...(variants.get(phrase) ?? []), found]);
  // The models keep the encoded image: its own wordings come before the mirror image.
  for (const phrase of prompts.flat())
    for (const wording of wordings[phrase] ?? []) add(phrase, (await segment(image, [wording])).filter(isMasked));
  const mirrored = mirrorImage(image);
  for (const phrases of prompts) {
    const found = (await segment(mirrored, phrases.map(mirrorPhrase))).filter(isMasked);
    for (const phrase of phrases) {
      const own = found.filter((one) => one.phrase === mirrorPhrase(phrase));
      add(
        phrase,
        own.map((one) => ({ ...one, phrase, mask: mirrorMask(one.mask) })),
      );
    }
  }
  return variants;
}

/** For each variant, the mask of the same object: the one that overlaps most; undefined where none overlaps by half. */
export function sameObject({ phrase, mask }: Segment, variants: Variants): (Segment | undefined)[] {
  return (variants.get(phrase) ?? []).map((found) => {
    let [best, most]: [Segment | undefined, number] = [undefined, SAME];
    for (const other of found) {
      const overlap = iou(mask, other.mask);
      if (overlap >= most) [best, most] = [other, overlap];
    }
    return best;
  });
}

export function isMasked(segment: Segment | BoxSegment): segment is Segment {
  return segment.mask !== undefined;
}
