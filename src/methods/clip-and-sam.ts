import { createMasker, type Detector, GroundedSegmenter, type Masker } from '../infer/index.js';
import {
  type BiomedClipParts,
  biomedClipConfigs,
  loadBiomedClip,
  loadSamMasker,
  randomBiomedClip,
  randomSam,
  type SamParts,
  type SamSize,
  samConfigs,
} from '../pretrained/index.js';
import { Rng } from '../util/index.js';
import { type MethodFacts, RANDOM_WEIGHTS } from './entry.js';
import { weightParts } from './weight-parts.js';

/** How a method finds with BiomedCLIP what it then segments with SAM. */
interface ClipAndSam {
  /** The published size of its SAM. */
  readonly size: SamSize;
  readonly finder: (clip: BiomedClipParts) => Detector;
  /** Wraps SAM. Default: not at all. */
  readonly masker?: (sam: Masker) => Masker;
}

/** The configurations of both, in the order of their weights. */
export const clipAndSamConfigs = [biomedClipConfigs, samConfigs] as const;

/** Loads a BiomedCLIP and a SAM, from the weights of a method of both. */
export async function loadClipAndSam(
  facts: MethodFacts,
  weights: string,
  { size, finder: finderOf, masker = (sam) => sam }: ClipAndSam,
): Promise<GroundedSegmenter> {
  const { clip, sam } = modelsOf(facts, weights, size);
  const finder = finderOf(await clip());
  try {
    return new GroundedSegmenter(finder, masker(createMasker(await sam())));
  } catch (error) {
    finder.dispose();
    throw error;
  }
}

interface Models {
  clip(): Promise<BiomedClipParts>;
  sam(): Promise<SamParts>;
}

function modelsOf(facts: MethodFacts, weights: string, size: SamSize): Models {
  if (weights === RANDOM_WEIGHTS)
    return { clip: () => randomBiomedClip(Rng.seeded(0)), sam: async () => randomSam(size, Rng.seeded(1)) };
  const [clip, sam] = weightParts(facts, weights) as [string, string];
  return { clip: () => loadBiomedClip(clip), sam: () => loadSamMasker(sam) };
}
