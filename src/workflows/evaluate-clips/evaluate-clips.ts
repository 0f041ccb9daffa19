import { join } from 'node:path';
import {
  type ClipMethod,
  type ClipScore,
  type ClipSummary,
  clipProtocols,
  clipTable,
  scoreClip,
  summariseClips,
  type Table,
  writeTable,
} from '../../eval/index.js';
import { CarriedBoxes, DetectionTracker, GroundedSegmenter, loadImagePredictor, TrackedSegmenter } from '../../infer/index.js';
import { hasMemory } from '../../pretrained/index.js';
import { type Logger, writeFileAtomic } from '../../util/index.js';
import type { ClipSet } from './clip-sets.js';

/** How clips are evaluated. */
export interface EvaluateClipsOptions {
  readonly models: { readonly detector: string; readonly masker: string; readonly adapter: string | undefined };
  /** Recorded with the results. */
  readonly about: Readonly<Record<string, unknown>>;
  /** Folder of the results. */
  readonly out: string;
  readonly logger: Logger;
  /** Called after each frame of each clip, method and protocol. */
  readonly onProgress: (done: number, total: number, note: string) => void;
}

/** Results of an evaluation on clips. */
export interface EvaluateClipsResult {
  readonly table: Table;
  /** `clip-metrics.json`, and the table as Markdown. */
  readonly files: readonly string[];
}

interface SetScores {
  readonly set: string;
  readonly scores: readonly ClipScore[];
}

/** Follows the objects of clips by the masker's memory, if it has one, and frame by frame; writes `clip-metrics.json` and a table. */
export async function evaluateClips(sets: readonly ClipSet[], options: EvaluateClipsOptions): Promise<EvaluateClipsResult> {
  const { models, about, out, logger, onProgress } = options;
  const { detector, masker } = models;
  const memory = await hasMemory(masker);
  if (!memory) logger.info(`${masker} has no memory: tracking by detection and by carried boxes alone`);
  const frameByFrame = await GroundedSegmenter.load(models);
  const carried = new CarriedBoxes(await loadImagePredictor(masker));
  const methods: ClipMethod[] = [
    ...(memory ? [await byMemory(models)] : []),
    { name: 'frame by frame', segmenter: new DetectionTracker(frameByFrame), tracking: carried },
  ];
  const scores: SetScores[] = [];
  try {
    for (const set of sets) scores.push({ set: set.name, scores: await scoresOf(set, methods, onProgress) });
  } finally {
    for (const { segmenter } of methods) segmenter.dispose();
    carried.dispose();
  }
  const summaries = scores.map(({ set, scores: own }) => ({ name: set, summaries: summariseClips(own) }));
  const table = clipTable(summaries);
  const file = join(out, 'clip-metrics.json');
  await writeFileAtomic(file, `${JSON.stringify(reportOf({ ...about, detector, masker }, summaries, scores), null, 1)}\n`);
  const written = await writeTable(out, table);
  return { table, files: [file, ...written.slice(0, 1)] };
}

async function byMemory(models: EvaluateClipsOptions['models']): Promise<ClipMethod> {
  const segmenter = await TrackedSegmenter.load(models);
  return { name: 'memory', segmenter, tracking: segmenter.tracker };
}

async function scoresOf(
  { name, clips }: ClipSet,
  methods: readonly ClipMethod[],
  onProgress: EvaluateClipsOptions['onProgress'],
): Promise<ClipScore[]> {
  const total = clips.reduce((sum, { clip }) => sum + clip.frames, 0) * methods.length * clipProtocols.length;
  const scores: ClipScore[] = [];
  let done = 0;
  for (const clip of clips)
    for (const method of methods)
      for (const protocol of clipProtocols) {
        const note = `${name} ${clip.clip.name}, ${method.name}, ${protocol}`;
        const before = done;
        scores.push(await scoreClip(clip, method, protocol, () => onProgress(++done, total, note)));
        done = before + clip.clip.frames;
      }
  return scores;
}

function reportOf(
  about: Readonly<Record<string, unknown>>,
  summaries: readonly { readonly name: string; readonly summaries: readonly ClipSummary[] }[],
  scores: readonly SetScores[],
) {
  return {
    ...about,
    sets: summaries.map(({ name, summaries: rows }) => ({ name, rows, clips: scores.find(({ set }) => set === name)?.scores })),
  };
}
