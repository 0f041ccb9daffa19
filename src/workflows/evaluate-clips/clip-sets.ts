import { basename } from 'node:path';
import { CocoDataset, phantomDomains, type Split } from '../../data/index.js';
import { type LabelledClip, phantomClips, sequencesOf } from '../../eval/index.js';

/** The name of the phantoms in place of a dataset's folder. */
export const CLIP_PHANTOMS = 'phantoms';

/** Side of phantoms, as the shipped models were trained on. */
const SIZE = { width: 192, height: 160 };

/** Seeds of phantoms by split: those of test are used for nothing else. */
const SEEDS: Readonly<Record<Split, number>> = { train: 7_100, val: 7_200, test: 7_300 };

/** Clips with ground truth, evaluated together. */
export interface ClipSet {
  readonly name: string;
  readonly clips: readonly LabelledClip[];
}

/** Which clips are opened. */
export interface ClipSetsOptions {
  readonly split: Split;
  /** Number of clips of phantoms. */
  readonly clipCount: number;
  /** Frames of each of them. */
  readonly clipFrames: number;
}

/**
 * Opens clips to evaluate.
 *
 * @param sources - folders of imported datasets whose groups are sequences of frames, or {@link CLIP_PHANTOMS}.
 */
export async function openClipSets(sources: readonly string[], options: ClipSetsOptions): Promise<ClipSet[]> {
  const sets: ClipSet[] = [];
  for (const source of sources) sets.push(await openSet(source, options));
  return sets;
}

async function openSet(source: string, { split, clipCount, clipFrames: frames }: ClipSetsOptions): Promise<ClipSet> {
  const domain = phantomDomains['standard'];
  if (source === CLIP_PHANTOMS && domain !== undefined)
    return { name: CLIP_PHANTOMS, clips: phantomClips(clipCount, { ...SIZE, frames, domain, seed: SEEDS[split] }) };
  return { name: basename(source), clips: await sequencesOf(await CocoDataset.open(source, split)) };
}
