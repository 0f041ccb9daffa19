import { type AugmentChoice, augment, type Dataset, type Sample } from '../../data/index.js';
import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  type RasterImage,
  resizeImage,
  resizeMask,
  unionOfMasks,
} from '../../imaging/index.js';
import { DataError, type Rng } from '../../util/index.js';

/** An image and the mask of all that one phrase names in it. */
export interface Pair {
  readonly image: RasterImage;
  readonly mask: BinaryMask;
}

interface Entry {
  readonly key: string;
  readonly group: string | undefined;
  readonly pair: Pair;
}

/** The images of a dataset by what they show, from which supports are drawn. Kept in memory, as small as the model sees them. */
export class SupportPool {
  private readonly byPhrase: ReadonlyMap<string, readonly Entry[]>;

  private constructor(byPhrase: ReadonlyMap<string, readonly Entry[]>) {
    this.byPhrase = byPhrase;
  }

  /**
   * Reads all images of a dataset once. An image that it repeats counts once.
   *
   * @param side - of the squares that images and masks are stretched to, in pixels.
   * @throws DataError when no phrase has two images: a target and its support.
   */
  static async open(dataset: Dataset, side: number): Promise<SupportPool> {
    const byPhrase = new Map<string, Entry[]>();
    const seen = new Set<string>();
    for (let index = 0; index < dataset.size; index++) {
      const sample = await dataset.load(index);
      const key = keyOf(sample);
      if (seen.has(key)) continue;
      seen.add(key);
      const image = resizeImage(sample.image, { width: side, height: side });
      for (const phrase of new Set(sample.objects.map((object) => object.phrase))) {
        const mask = resizeMask(pairOf(sample, phrase).mask, { width: side, height: side });
        if (!mask.data.includes(1)) continue; // too small for the model
        const entries = byPhrase.get(phrase) ?? [];
        entries.push({ key, group: groupOf(sample), pair: { image, mask } });
        byPhrase.set(phrase, entries);
      }
    }
    if ([...byPhrase.values()].some((entries) => entries.length > 1)) return new SupportPool(byPhrase);
    throw new DataError({
      code: 'E_DATA_NO_OBJECTS',
      where: `data ${dataset.name}`,
      what: 'no phrase has two training images that show it, a target and a support',
      fix: 'Give more images of each phrase',
    });
  }

  /** The phrases that a sample shows and other images can support. */
  phrasesOf(sample: Sample): string[] {
    const shown = [...new Set(sample.objects.map((object) => object.phrase))];
    return shown.filter((phrase) => this.others(phrase, sample).length > 0);
  }

  /**
   * Draws supports: other images than the target, of other patients where there are any, each once as long as there are enough.
   *
   * @param choice - augments each of them.
   * @returns none if no other image shows the phrase.
   */
  draw(phrase: string, target: Sample, size: number, rng: Rng, choice: AugmentChoice = 'none'): Pair[] {
    const entries = this.others(phrase, target);
    if (entries.length === 0) return [];
    const drawn: Entry[] = [];
    while (drawn.length < size) drawn.push(...rng.shuffle(entries).slice(0, size - drawn.length));
    return drawn.map(({ pair }) => (choice === 'none' ? pair : augmented(pair, choice, rng.fork())));
  }

  private others(phrase: string, target: Sample): readonly Entry[] {
    const [key, group] = [keyOf(target), groupOf(target)];
    const others = (this.byPhrase.get(phrase) ?? []).filter((entry) => entry.key !== key);
    const strangers = others.filter((entry) => group === undefined || entry.group !== group);
    return strangers.length > 0 ? strangers : others;
  }
}

/** An image with the mask of all that a phrase names in it. */
export function pairOf({ image, objects }: Sample, phrase: string): Pair {
  return { image, mask: unionOfMasks(objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask)) };
}

/** Augments image and mask together. The structure has no name meanwhile, as a flip renames left and right. */
function augmented({ image, mask }: Pair, choice: AugmentChoice, rng: Rng): Pair {
  const object = { phrase: '', boxXyxyPx: boxOfMask(mask) as BoxXyxy, mask };
  const { image: changed, objects } = augment({ id: '', dataset: '', image, phrases: [''], objects: [object] }, choice, rng);
  return { image: changed, mask: objects[0]?.mask ?? mask };
}

function keyOf({ dataset, id }: Sample): string {
  return `${dataset}\n${id}`;
}

function groupOf({ dataset, group }: Sample): string | undefined {
  return group === undefined ? undefined : `${dataset}\n${group}`;
}
