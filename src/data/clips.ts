import { type BinaryMask, boxOfMask, unionOfMasks } from '../imaging/index.js';
import { DataError, Rng } from '../util/index.js';
import { movedStill } from './augment/index.js';
import { sequencesIn } from './sequences.js';
import type { Dataset, LaterFrame, Sample, SampleObject, SampleSource } from './types.js';

/** How clips are cut out of sequences. */
export interface ClipOptions {
  /** Frames of each clip. */
  readonly frames: number;
  /** A clip begins at every n-th image of a sequence. */
  readonly every: number;
  /** Seeds how fast clips pass, in which direction, and how stills move. */
  readonly seed: number;
}

/** Most images of a sequence between two frames of a clip. */
const FASTEST = 3;

/** A clip: positions in the dataset, of its frames or of one still. */
interface Cut {
  readonly indices: readonly number[];
  readonly start: number;
}

/**
 * Clips of a dataset of single images. Images of a sequence (see {@link sequencesIn}) become clips of it, forwards or backwards, at
 * once to three times its speed; at its ends they turn round. All other images become clips by moving them: see {@link movedStill}.
 * A phrase is one object, since such datasets do not say which object of a frame is which of the next.
 */
export class ClipDataset implements Dataset {
  readonly name: string;
  private readonly whole: Dataset;
  private readonly options: ClipOptions;
  private readonly cuts: readonly Cut[];

  constructor(whole: Dataset, options: ClipOptions) {
    this.whole = whole;
    this.options = options;
    this.name = whole.name;
    const sequences = sequencesIn(whole).filter(({ indices }) => indices.length > 1);
    const moving = new Set(sequences.flatMap(({ indices }) => indices.map((index) => whole.source?.(index)?.id)));
    const windows = sequences.flatMap(({ indices, times }) =>
      Array.from({ length: Math.ceil(indices.length / options.every) * times }, (_, k) => ({
        indices,
        start: (k * options.every) % indices.length,
      })),
    );
    const stills = Array.from({ length: whole.size }, (_, start) => ({ indices: [], start })).filter(
      ({ start }) => !moving.has(whole.source?.(start)?.id),
    );
    this.cuts = [...windows, ...stills];
  }

  get size(): number {
    return this.cuts.length;
  }

  get phrases(): readonly string[] | undefined {
    return this.whole.phrases;
  }

  get parts(): readonly Dataset[] {
    return [this.whole];
  }

  /** @throws DataError naming a frame whose size is not that of the first. */
  async load(index: number): Promise<Sample> {
    const { indices, start } = this.cutOf(index);
    const rng = this.rngOf(index);
    if (indices.length === 0) return movedStill(byPhrase(await this.whole.load(start)), this.options.frames, rng);
    const [first, ...others] = (await Promise.all(this.framesOf(index).map((at) => this.whole.load(at)))) as [
      Sample,
      ...Sample[],
    ];
    const sample = byPhrase(first);
    const later = others.map((frame): LaterFrame => {
      assertSameSize(frame, first);
      const objects = byPhrase(frame).objects;
      return {
        image: frame.image,
        masks: sample.objects.map(({ phrase }) => objects.find((one) => one.phrase === phrase)?.mask ?? emptyMask(frame.image)),
      };
    });
    return { ...sample, later };
  }

  source(index: number): SampleSource | undefined {
    const { indices, start } = this.cutOf(index);
    if (indices.length === 0) return this.whole.source?.(start);
    const sources = this.framesOf(index).flatMap((at) => this.whole.source?.(at) ?? []);
    const [first] = sources;
    return (
      first && {
        id: first.id,
        group: first.group,
        files: [...new Set(sources.flatMap(({ files }) => files))],
        annotation: JSON.stringify(sources.map(({ annotation }) => annotation)),
      }
    );
  }

  /** Positions of a clip's frames in the dataset. */
  private framesOf(index: number): number[] {
    const { indices, start } = this.cutOf(index);
    const rng = this.rngOf(index);
    const step = (1 + rng.int(FASTEST)) * (rng.chance(0.5) ? 1 : -1);
    return Array.from({ length: this.options.frames }, (_, k) => indices[reflected(start + k * step, indices.length)] as number);
  }

  private rngOf(index: number): Rng {
    return Rng.seeded(this.options.seed, 0xc119, index);
  }

  private cutOf(index: number): Cut {
    const cut = this.cuts[index];
    if (cut === undefined) throw new RangeError(`${this.name}: there is no clip ${index} of ${this.size}`);
    return cut;
  }
}

/** A place on a sequence that is walked to and fro. */
function reflected(place: number, count: number): number {
  const period = 2 * count - 2;
  const within = ((place % period) + period) % period;
  return within < count ? within : period - within;
}

/** A sample with one object for each phrase that it shows. */
function byPhrase(sample: Sample): Sample {
  const objects = sample.phrases.flatMap((phrase): SampleObject[] => {
    const masks = sample.objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask);
    const mask = masks.length > 0 ? unionOfMasks(masks) : undefined;
    const boxXyxyPx = mask && boxOfMask(mask);
    return mask === undefined || boxXyxyPx === undefined ? [] : [{ phrase, mask, boxXyxyPx }];
  });
  return { ...sample, objects };
}

function assertSameSize({ id, image }: Sample, first: Sample): void {
  const { width, height } = first.image;
  if (image.width === width && image.height === height) return;
  throw new DataError({
    code: 'E_CLIP_FRAMES',
    where: id,
    what: `it is ${image.width}x${image.height} pixels, ${first.id} before it ${width}x${height}`,
    fix: 'All frames of a sequence must have one size',
  });
}

function emptyMask({ width, height }: { readonly width: number; readonly height: number }): BinaryMask {
  return { width, height, data: new Uint8Array(width * height) };
}
