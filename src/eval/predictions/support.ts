import { createHash } from 'node:crypto';
import { type Dataset, type Sample, Subset } from '../../data/index.js';
import { type BinaryMask, type RasterImage, unionOfMasks } from '../../imaging/index.js';
import type { Exemplar } from '../../methods/index.js';
import { greyInput, maskInput } from '../../processing/index.js';
import { WHOLE } from '../../protocols/index.js';
import { DataError, Rng } from '../../util/index.js';
import { imageFingerprint } from './fingerprint.js';

/** How exemplars are drawn. */
export interface ExemplarOptions {
  /** Exemplars for each structure of a dataset. */
  readonly count: number;
  readonly seed: number;
  /** Side of the squares that the model sees, in pixels. Default: 128, that of the published UniverSeg. */
  readonly side?: number;
}

const PUBLISHED_SIDE = 128;

/** Names of images that a note lists. */
const NAMED = 8;

/** Exemplars of each structure of each dataset, and the images to evaluate with them. */
export interface Support {
  /** By dataset, then by phrase; `*` has all structures of an image in one mask. */
  readonly exemplars: ReadonlyMap<string, ReadonlyMap<string, readonly Exemplar[]>>;
  /** The images to evaluate: without those that serve as exemplars, or equal one. */
  readonly evaluated: Dataset;
  /** Where fewer exemplars were found, or images were left out. */
  readonly notes: readonly string[];
}

/**
 * Draws exemplars from the training split. For a dataset without training images they come from the evaluated split, as in the
 * published comparison, and these images are left out of the scores of every method. An image that is evaluated, under whatever
 * name, is never an exemplar. One that equals an exemplar only at the size that the model sees is left out, and a note names it.
 *
 * @throws DataError when every evaluated image serves as an exemplar.
 */
export async function drawSupport(train: Dataset, evaluated: Dataset, options: ExemplarOptions): Promise<Support> {
  const { count, side = PUBLISHED_SIDE } = options;
  const draw = new Draw(count, side);
  const prints: string[] = [];
  const sights: Seen[] = [];
  for (let i = 0; i < evaluated.size; i++) {
    const sample = await evaluated.load(i);
    prints.push(imageFingerprint(sample.image));
    sights.push({ dataset: sample.dataset, name: sample.file ?? sample.id, sight: sightOf(sample.image, side) });
    draw.want(sample);
  }
  const order = (size: number) => Rng.seeded(options.seed).shuffle(Array.from({ length: size }, (_, i) => i));
  const known = new Set(prints);
  const trained = new Set<string>();
  for (const index of order(train.size)) {
    if (draw.isComplete()) break;
    const sample = await train.load(index);
    if (known.has(imageFingerprint(sample.image))) continue;
    if (draw.take(sample)) trained.add(sample.dataset);
  }
  const used = new Set<string>();
  for (const index of order(evaluated.size)) {
    const sample = await evaluated.load(index);
    // A dataset with training images keeps its evaluated images whole, even if it has fewer exemplars than wanted.
    const print = prints[index] as string;
    if (!trained.has(sample.dataset) && !used.has(print) && draw.take(sample)) used.add(print);
  }
  const others = prints.flatMap((print, i) => (used.has(print) ? [] : [i]));
  const equal = equalToExemplars(
    others.map((i) => sights[i] as Seen),
    draw.found,
    side,
  );
  const rest = others.filter((_, k) => !equal[k]);
  const left = evaluated.size - rest.length;
  if (left > 0 && rest.length === 0)
    throw new DataError({
      code: 'E_SPLIT_EMPTY',
      where: evaluated.name,
      what: `all ${left} images would serve as exemplars or equal one, and none would be left to evaluate`,
      fix: 'Ask for fewer exemplars, or give the dataset a training split',
    });
  const notes = draw.shortfalls();
  const served = evaluated.size - others.length;
  if (served > 0)
    notes.push(`${served} of ${evaluated.size} images serve as exemplars and are left out of the scores of every method`);
  const named = others.flatMap((i, k) => (equal[k] ? [(sights[i] as Seen).name] : []));
  if (named.length > 0)
    notes.push(
      `${named.length} of ${evaluated.size} images equal an exemplar at the ${side}x${side} pixels that the model sees and are left out of the scores of every method: ${named.slice(0, NAMED).join(', ')}${named.length > NAMED ? ` and ${named.length - NAMED} more` : ''}`,
    );
  return { exemplars: draw.found, evaluated: left === 0 ? evaluated : new Subset(evaluated, rest), notes };
}

/** An evaluated image as the model sees it. */
interface Seen {
  readonly dataset: string;
  readonly name: string;
  readonly sight: string;
}

/** Hash of an image as the model sees it. */
function sightOf(image: RasterImage, side: number): string {
  return createHash('sha256').update(greyInput(image, side)).digest('hex');
}

/** Whether each image equals an exemplar of its dataset in the eyes of the model. */
function equalToExemplars(images: readonly Seen[], found: Support['exemplars'], side: number): boolean[] {
  const seen = new Map<string, Set<string>>();
  for (const [dataset, own] of found)
    seen.set(
      dataset,
      new Set([...new Set([...own.values()].flat().map(({ image }) => image))].map((image) => sightOf(image, side))),
    );
  return images.map(({ dataset, sight }) => seen.get(dataset)?.has(sight) === true);
}

/** Exemplars found so far, of those wanted. */
class Draw {
  readonly found = new Map<string, Map<string, Exemplar[]>>();
  private readonly count: number;
  private readonly side: number;

  constructor(count: number, side: number) {
    this.count = count;
    this.side = side;
  }

  /** Notes the structures that an evaluated image shows. */
  want({ dataset, objects }: Sample): void {
    const own = this.found.get(dataset) ?? new Map<string, Exemplar[]>();
    this.found.set(dataset, own);
    for (const phrase of objects.length === 0 ? [] : [...objects.map((object) => object.phrase), WHOLE])
      if (!own.has(phrase)) own.set(phrase, []);
  }

  isComplete(): boolean {
    return [...this.found.values()].every((own) => [...own.values()].every((list) => list.length >= this.count));
  }

  /** Takes an image for every structure of it that lacks exemplars. @returns whether it was taken. */
  take({ dataset, image, objects }: Sample): boolean {
    let taken = false;
    for (const [phrase, list] of this.found.get(dataset) ?? []) {
      const masks = objects.flatMap((object) => (phrase === WHOLE || object.phrase === phrase ? [object.mask] : []));
      if (list.length >= this.count || masks.length === 0) continue;
      const mask = unionOfMasks(masks);
      if (!this.shows(mask)) continue;
      list.push({ image, mask });
      taken = true;
    }
    return taken;
  }

  /** Whether anything of a mask is left at the size that the model sees. */
  private shows(mask: BinaryMask): boolean {
    return maskInput(mask, this.side).includes(1);
  }

  /** Where there are fewer exemplars than wanted. */
  shortfalls(): string[] {
    return [...this.found].flatMap(([dataset, own]) =>
      [...own].flatMap(([phrase, { length }]) => {
        if (length >= this.count || phrase === WHOLE) return [];
        return length === 0
          ? [`${dataset}: no exemplar of ${phrase}, which is therefore not found`]
          : [`${dataset}: ${length} exemplars of ${phrase} instead of ${this.count}`];
      }),
    );
  }
}
