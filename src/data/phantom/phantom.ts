import { type BoxXyxy, boxOfMask } from '../../imaging/index.js';
import { Rng } from '../../util/index.js';
import { SampleStore } from '../kept.js';
import type { Dataset, Sample, SampleObject } from '../types.js';
import { acquire, drawGeometry, inView } from './acquire.js';
import type { PhantomDomain } from './domains.js';
import { type Placed, placeStructures } from './scene.js';
import { type StructureName, structureKinds } from './structures.js';
import { layeredTissue } from './tissue.js';

export interface PhantomOptions {
  readonly width: number;
  readonly height: number;
  readonly domain: PhantomDomain;
}

/** Generates the phantom of a seed: an image that resembles ultrasound, with the masks of its structures. */
export function generatePhantom(seed: number, { width, height, domain }: PhantomOptions): Sample {
  const rng = Rng.seeded(seed, 0x9a7);
  const geometry = drawGeometry(width, height, domain, rng);
  const tissue = layeredTissue(width, height, rng);
  const placed = placeStructures(tissue, domain, inView(geometry), rng);
  const image = acquire(tissue, geometry, domain, { rng });
  const { objects, phrases } = ask(placed, domain, rng);
  return { id: `${domain.name}-${seed}`, dataset: `phantom-${domain.name}`, image, objects, phrases };
}

/** Chooses the prompt's phrases and names the objects accordingly. */
export function ask(placed: readonly Placed[], domain: PhantomDomain, rng: Rng): Pick<Sample, 'objects' | 'phrases'> {
  const wide = rng.chance(domain.hypernyms) ? rng.pick(HYPERNYMS) : undefined;
  const nameOf = ({ kind }: Placed) => (wide !== undefined && kind.hypernyms.includes(wide) ? wide : kind.name);
  const objects: SampleObject[] = placed.map((one) => ({
    phrase: nameOf(one),
    boxXyxyPx: boxOfMask(one.mask) as BoxXyxy,
    mask: one.mask,
  }));
  const present = [...new Set(objects.map(({ phrase }) => phrase))];
  // A hyponym or hypernym of a structure that is present is not absent.
  const shown = new Set(placed.flatMap(({ kind }) => [kind.name, ...kind.hypernyms]));
  const absent = (Object.keys(domain.structures) as StructureName[]).filter(
    (name) => !shown.has(name) && !structureKinds[name].hypernyms.some((word) => present.includes(word)),
  );
  const negatives = absent.filter(() => rng.chance(domain.negatives));
  const asked = [...present, ...negatives];
  return { objects, phrases: rng.shuffle(asked.length > 0 ? asked : [rng.pick(absent.length > 0 ? absent : ['lesion'])]) };
}

/** Hypernyms used in prompts. */
const HYPERNYMS = ['breast lesion', 'breast lesion', 'lesion', 'tumor', 'mass'];

/** Selects the phantoms of a dataset. */
export interface PhantomDatasetOptions extends PhantomOptions {
  readonly size: number;
  readonly seed: number;
  /** Keeps only objects with these names and prompts for no others. Default: all. */
  readonly phrases?: readonly string[];
}

/** Cache size in bytes; phantoms beyond it are regenerated each time. */
const KEPT_BYTES = 512 * 2 ** 20;

/**
 * Phantoms by index, generated on demand and cached within a limit.
 *
 * @example
 * import { PhantomDataset, phantomDomains } from 'sonoground/data';
 *
 * const domain = phantomDomains['standard'];
 * if (domain === undefined) throw new Error('no such domain');
 * const phantoms = new PhantomDataset({ size: 10, seed: 3, width: 128, height: 96, domain });
 * const { image, objects } = await phantoms.load(0);
 * console.log(image.width, objects.map(({ phrase, boxXyxyPx }) => [phrase, boxXyxyPx]));
 */
export class PhantomDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  private readonly options: PhantomDatasetOptions;
  private readonly store = new SampleStore(KEPT_BYTES);
  private readonly made = new Map<number, Sample>();

  constructor(options: PhantomDatasetOptions) {
    this.options = options;
    this.name = `phantom-${options.domain.name}`;
    this.size = options.size;
  }

  /** Generates a phantom; equal indices give equal phantoms. */
  async load(index: number): Promise<Sample> {
    const known = this.made.get(index);
    if (known !== undefined) return known;
    const sample = only(generatePhantom(this.options.seed * 1_000_003 + index, this.options), this.options.phrases);
    if (this.store.take(sample)) this.made.set(index, sample);
    return sample;
  }
}

function only(sample: Sample, phrases: readonly string[] | undefined): Sample {
  if (phrases === undefined) return sample;
  const asked = sample.phrases.filter((phrase) => phrases.includes(phrase));
  return {
    ...sample,
    objects: sample.objects.filter(({ phrase }) => phrases.includes(phrase)),
    phrases: asked.length > 0 ? asked : phrases,
  };
}
