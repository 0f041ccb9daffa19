import { type Dataset, generatePhantomClip, type PhantomDomain, sequencesIn } from '../../data/index.js';
import { type BinaryMask, type Clip, unionOfMasks } from '../../imaging/index.js';
import { DataError } from '../../util/index.js';

/** The ground truth of an object on a frame. */
export interface TrueObject {
  /** The same in all frames of its clip. */
  readonly object: number;
  readonly phrase: string;
  readonly mask: BinaryMask;
}

/** A clip all of whose frames are annotated. */
export interface LabelledClip {
  readonly clip: Clip;
  /** The prompt. */
  readonly phrases: readonly string[];
  /** The objects that a frame shows. */
  truth(frame: number): Promise<readonly TrueObject[]>;
}

/** Moving phantoms by seed. */
export function phantomClips(
  count: number,
  options: {
    readonly width: number;
    readonly height: number;
    readonly frames: number;
    readonly domain: PhantomDomain;
    readonly seed: number;
  },
): LabelledClip[] {
  return Array.from({ length: count }, (_, i) => {
    // Every third one leaves the plane: chance alone would give few clips none.
    const clip = generatePhantomClip(options.seed * 1_000_003 + i, { ...options, leaves: i % 3 === 2 });
    const present = new Set(clip.objects(0).map(({ phrase }) => phrase));
    return {
      clip,
      phrases: clip.phrases.filter((phrase) => present.has(phrase)),
      truth: async (frame) => clip.objects(frame).map(({ track, phrase, mask }) => ({ object: track, phrase, mask })),
    };
  });
}

/** Sequences with fewer annotated frames are left out. */
const LEAST_FRAMES = 10;

/**
 * The sequences of a dataset of single frames: images of one group whose names differ in their last number alone, in its order.
 * Each phrase is one object, since such datasets annotate single structures.
 *
 * @throws DataError when there is no sequence of at least ten frames.
 */
export async function sequencesOf(dataset: Dataset): Promise<LabelledClip[]> {
  const long = sequencesIn(dataset).filter(({ indices }) => indices.length >= LEAST_FRAMES);
  if (long.length === 0)
    throw new DataError({
      code: 'E_NO_IMAGES',
      where: dataset.name,
      what: `it has no sequence of ${LEAST_FRAMES} or more annotated frames`,
      fix: 'Frames of a clip are named alike but for a number, and are of one group',
    });
  return Promise.all(long.map(({ name, indices }) => sequence(dataset, name, indices)));
}

async function sequence(dataset: Dataset, name: string, indices: readonly number[]): Promise<LabelledClip> {
  const { image, phrases } = await dataset.load(indices[0] as number);
  const { width, height } = image;
  let last: { readonly frame: number; readonly sample: ReturnType<Dataset['load']> } | undefined;
  const load = (frame: number) => {
    if (last?.frame !== frame) last = { frame, sample: dataset.load(indices[frame] as number) };
    return last.sample;
  };
  return {
    phrases,
    clip: {
      name,
      frames: indices.length,
      width,
      height,
      async frame(index) {
        const { image: own, id } = await load(index);
        if (own.width === width && own.height === height) return own;
        throw new DataError({
          code: 'E_CLIP_FRAMES',
          where: id,
          what: `frame ${index} of ${name} is ${own.width}x${own.height} pixels, the first ${width}x${height}`,
          fix: 'All frames of a sequence must have one size',
        });
      },
    },
    async truth(frame) {
      const { objects } = await load(frame);
      return phrases.flatMap((phrase, k) => {
        const own = objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask);
        return own.length === 0 ? [] : [{ object: k + 1, phrase, mask: unionOfMasks(own) }];
      });
    },
  };
}
