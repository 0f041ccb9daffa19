import type { Sample } from '../../data/index.js';
import { type BinaryMask, type BoxXyxy, resizeMask, type Size, unionOfMasks } from '../../imaging/index.js';
import { centreOf, type MarkedPoint } from '../../infer/index.js';
import { type AnsweredBox, isMasked } from '../../protocols/index.js';
import { Rng } from '../../util/index.js';
import { textFingerprint } from './fingerprint.js';
import type { ModelMethod } from './model-method.js';

/** How the point of an oracle is drawn from the ground truth. */
export type PointWay = { readonly way: 'fixed' } | { readonly way: 'random'; readonly seed: number };

/** A box of an answer, and the point whose mask it gets; without one it gets none. */
export interface PointedBox {
  /** Without coordinates for an oracle: the box is then that of the mask. */
  readonly box: Omit<AnsweredBox, 'boxXyxyPx' | 'mask'> & { readonly boxXyxyPx?: BoxXyxy };
  readonly point: MarkedPoint | undefined;
}

/** Where a method that takes points gets them from. */
export interface PointSource {
  /** In names of methods: `oracle point`. */
  readonly label: string;
  /** In tables: `point (oracle)`. */
  readonly given: string;
  /** Whether its boxes have scores. */
  readonly scored: boolean;
  /** The points of an image, in the order of the answer. @param grid - on which points are drawn from the ground truth. */
  points(sample: Sample, phrases: readonly string[], grid: Size): Promise<readonly PointedBox[]>;
  /** Finds the best point of an image again, without a cache, for timing. */
  find(sample: Sample, phrase: string, grid: Size): Promise<MarkedPoint | undefined>;
}

/**
 * One point for each structure, drawn from its ground truth, which nobody has in practice: figures of a method that is given it are
 * an upper bound, and are marked as oracle in every table.
 */
export function oraclePoints(how: PointWay): PointSource {
  const random = how.way === 'random' ? `, random, seed ${how.seed}` : '';
  return {
    label: `oracle point${random}`,
    given: `point (oracle${random})`,
    scored: false,
    points: async (sample, phrases, grid) => truePoints(sample, phrases, grid, how),
    find: async (sample, phrase, grid) => truePoints(sample, [phrase], grid, how)[0]?.point,
  };
}

/** The centres of our detector's boxes, of those alone that count by the settings of the evaluation. */
export function detectedCentres(ours: ModelMethod): PointSource {
  return {
    label: 'centre of our box',
    given: 'point (centre of our detector’s box)',
    scored: true,
    async points(sample, phrases) {
      const found = await ours.answer(sample, phrases);
      return found.map((box) => {
        const { mask: _, maskScore: __, ownGrid: ___, ...place } = box;
        return { box: place, point: isMasked(box) ? centreOf(box.boxXyxyPx) : undefined };
      });
    },
    async find({ image }, phrase) {
      const { detector } = await ours.load();
      const [best] = await detector.detect(image, [phrase], { threshold: 0, select: 'best-per-phrase' });
      return centreOf(best?.boxXyxyPx ?? [0, 0, image.width, image.height]);
    },
  };
}

/** One phrase that the dataset does not use stands for everything that an image shows. */
function truePoints(sample: Sample, phrases: readonly string[], grid: Size, how: PointWay): PointedBox[] {
  const { objects, phrases: own, image } = sample;
  return phrases.flatMap((phrase): PointedBox[] => {
    const shown = objects.filter((object) => object.phrase === phrase);
    const whole = shown.length === 0 && phrases.length === 1 && !own.includes(phrase);
    const masks = (whole ? objects : shown).map(({ mask }) => mask);
    if (masks.length === 0) return [];
    const { at, inside } = drawnPoint(resizeMask(unionOfMasks(masks), grid), chooserOf(how, sample, phrase));
    const [x, y] = [at % grid.width, Math.floor(at / grid.width)];
    const point: [number, number] = [(x * image.width) / grid.width, (y * image.height) / grid.height];
    return [{ box: { phrase, score: 1 }, point: { point, inside } }];
  });
}

/**
 * Draws a pixel of a mask; of a mask that is empty, as one may become on a smaller grid, a pixel of the background.
 *
 * @param choose - one of so many pixels, which are counted row by row.
 * @see xianlin7/SAMUS, `utils/data_us.py`: `fixed_click`, `random_click`
 */
export function drawnPoint({ data }: BinaryMask, choose: (count: number) => number): { at: number; inside: boolean } {
  const inside = data.includes(1);
  const pixels: number[] = [];
  for (const [at, value] of data.entries()) if ((value === 1) === inside) pixels.push(at);
  return { at: pixels[choose(pixels.length)] as number, inside };
}

/** The middle pixel, as in the authors' evaluation; or one by a seed, the image and the phrase, whatever was drawn before. */
export function chooserOf(how: PointWay, { dataset, id }: Pick<Sample, 'dataset' | 'id'>, phrase: string) {
  if (how.way === 'fixed') return (count: number) => Math.floor(count / 2);
  const print = Number.parseInt(textFingerprint([dataset, id, phrase]).slice(0, 8), 16);
  return (count: number) => Rng.seeded(how.seed, print).int(count);
}
