import { Rng } from '../../util/index.js';
import { SampleStore } from '../kept.js';
import type { Dataset, LaterFrame, Sample } from '../types.js';
import type { PhantomDatasetOptions } from './phantom.js';
import { type ClipObject, generatePhantomClip } from './phantom-clip.js';

export interface PhantomClipDatasetOptions extends PhantomDatasetOptions {
  /** Frames of each clip. */
  readonly frames: number;
}

/** Cache size in bytes; clips beyond it are generated each time. */
const KEPT_BYTES = 768 * 2 ** 20;

/** Frames of the motion that a clip is taken from, in multiples of the clip's: it passes at once to this times the speed. */
const FASTEST = 4;

/**
 * Clips of phantoms that move, by index, generated on demand and cached within a limit. The first frame shows all objects of the
 * sample; later ones may have lost them, and found them again.
 */
export class PhantomClipDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  private readonly options: PhantomClipDatasetOptions;
  private readonly store = new SampleStore(KEPT_BYTES);
  private readonly made = new Map<number, Sample>();

  constructor(options: PhantomClipDatasetOptions) {
    this.options = options;
    this.name = `phantom-clips-${options.domain.name}`;
    this.size = options.size;
  }

  /** Generates a clip; equal indices give equal clips. */
  async load(index: number): Promise<Sample> {
    const known = this.made.get(index);
    if (known !== undefined) return known;
    const sample = await this.make(index);
    if (this.store.take(sample)) this.made.set(index, sample);
    return sample;
  }

  private async make(index: number): Promise<Sample> {
    const { seed, frames: count, phrases } = this.options;
    const own = seed * 1_000_003 + index;
    const rng = Rng.seeded(own, 0xc11d);
    const step = 1 + rng.int(FASTEST);
    // A slow clip is a part of a longer motion, a fast one nearly all of it.
    const frames = Math.max(count * step, FASTEST * 2 + 1);
    const clip = generatePhantomClip(own, { ...this.options, frames });
    const from = rng.int(frames - (count - 1) * step);
    const numbers = Array.from({ length: count }, (_, k) => from + k * step);
    const [first = 0, ...others] = rng.chance(0.5) ? numbers : [...numbers].reverse();
    const wanted = (phrase: string) => phrases?.includes(phrase) ?? true;
    const objects = clip.objects(first).filter(({ phrase }) => wanted(phrase));
    const maskOf = (frame: readonly ClipObject[], track: number) => frame.find((object) => object.track === track)?.mask;
    const later = await Promise.all(
      others.map(async (number): Promise<LaterFrame> => {
        const seen = clip.objects(number);
        const image = await clip.frame(number);
        const { width, height } = image;
        const nothing = { width, height, data: new Uint8Array(width * height) };
        return { image, masks: objects.map(({ track }) => maskOf(seen, track) ?? nothing) };
      }),
    );
    return {
      id: `${clip.name}-${first}`,
      dataset: this.name,
      image: await clip.frame(first),
      objects: objects.map(({ phrase, mask, boxXyxyPx }) => ({ phrase, mask, boxXyxyPx })),
      phrases: phrases ?? clip.phrases,
      later,
    };
  }
}
