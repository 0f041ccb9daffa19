import { basename, join } from 'node:path';
import { initBackend } from '../backend/index.js';
import { CocoDataset, phantomDomains, type Split } from '../data/index.js';
import {
  type ClipMethod,
  type ClipScore,
  type ClipSummary,
  clipProtocols,
  clipTable,
  type LabelledClip,
  markdownTable,
  phantomClips,
  scoreClip,
  sequencesOf,
  summariseClips,
  writeTable,
} from '../eval/index.js';
import { CarriedBoxes, DetectionTracker, GroundedSegmenter, loadImagePredictor, TrackedSegmenter } from '../infer/index.js';
import { hasMemory, shippedModels } from '../pretrained/index.js';
import { UsageError, writeFileAtomic } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { namedModels } from './named-models.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';

/** The options of `eval` for clips. */
export interface ClipEvalOptions {
  clips: string[] | undefined;
  clipCount: number | undefined;
  clipFrames: number | undefined;
  detector: string | undefined;
  masker: string | undefined;
  out: string | undefined;
}

const PHANTOMS = 'phantoms';

/** The same as yargs describes them. */
export const clipEvalOptions = {
  clips: {
    type: 'string',
    array: true,
    describe: `evaluate tracking instead: ${PHANTOMS}, which move, or folders of imported datasets whose groups are sequences of frames`,
  },
  'clip-count': { type: 'number', describe: 'with --clips: clips of phantoms; default: 6' },
  'clip-frames': { type: 'number', describe: 'with --clips: frames of each; default: 30' },
  detector: { type: 'string', describe: `with --clips: the detector; default: ${shippedModels.detector}` },
  masker: { type: 'string', describe: `with --clips: the masker, best with a memory; default: ${shippedModels.masker}` },
  out: { type: 'string', describe: 'with --clips: folder of the results; default: runs/clips' },
} as const;

/** Side of phantoms, as the shipped models were trained on. */
const SIZE = { width: 192, height: 160 };

/** Seeds of phantoms by split: those of test are used for nothing else. */
const SEEDS: Readonly<Record<Split, number>> = { train: 7_100, val: 7_200, test: 7_300 };

interface Set {
  readonly name: string;
  readonly clips: readonly LabelledClip[];
}

/** Options of `eval` that apply to clips too, besides those for clips alone. */
const SHARED = ['clips', 'split', 'adapter', 'backend', ...Object.keys(clipEvalOptions)];

/**
 * Refuses options that would have no effect: those for clips without `--clips`, and most others with it.
 *
 * @throws UsageError naming the option.
 */
export function checkClipOptions(argv: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(argv).filter(
    ([name, value]) => /^[a-z]/.test(name) && !name.startsWith('$') && isGiven(name, value),
  );
  const withClips = argv['clips'] !== undefined;
  const wrong = given.find(([name]) =>
    withClips ? !SHARED.includes(dashed(name)) : Object.hasOwn(clipEvalOptions, dashed(name)),
  );
  if (wrong === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: `--${dashed(wrong[0])}`,
    what: withClips ? 'it does not apply to clips' : 'it is for clips',
    fix: withClips ? 'Leave it out, or --clips' : 'Leave it out, or name the clips with --clips',
  });
}

/** Values that yargs fills in. */
const DEFAULTS: Readonly<Record<string, unknown>> = { support: 16, supportSeed: 0, 'support-seed': 0, point: 'fixed' };

function isGiven(name: string, value: unknown): boolean {
  if (value === undefined || value === false) return false;
  if (Array.isArray(value)) return value.length > 0 && String(value) !== DEFAULTS[name];
  return value !== DEFAULTS[name];
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Runs `eval --clips`: writes `clip-metrics.json` and tables, prints the table. */
export async function evaluateClips({
  clips,
  clipCount = 6,
  clipFrames = 30,
  detector,
  masker,
  out = 'runs/clips',
  split,
  adapter,
  backend,
}: ClipEvalOptions & GlobalOptions & { split: Split; adapter: string | undefined }): Promise<void> {
  for (const [name, value, least] of [
    ['--clip-count', clipCount, 1],
    ['--clip-frames', clipFrames, 2],
  ] as const)
    if (!(Number.isInteger(value) && value >= least))
      throw new UsageError({ code: 'E_OPTION_VALUE', where: name, what: `expected a number from ${least}, got ${value}` });
  const sets: Set[] = [];
  for (const source of clips ?? []) sets.push(await openSet(source, split, clipCount, clipFrames));
  const running = await initBackend(backend, consoleLogger);
  const models = await namedModels({
    detector: detector ?? shippedModels.detector,
    masker,
    adapter,
    maskerAdapter: undefined,
    adapterScale: 1,
  });
  const named = models.masker ?? shippedModels.masker;
  const memory = await hasMemory(named);
  if (!memory) consoleLogger.info(`${named} has no memory: tracking by detection and by carried boxes alone`);
  const frameByFrame = await GroundedSegmenter.load({ ...models, masker: named });
  const carried = new CarriedBoxes(await loadImagePredictor(named));
  const methods: ClipMethod[] = [
    ...(memory ? [await byMemory({ ...models, masker: named })] : []),
    { name: 'frame by frame', segmenter: new DetectionTracker(frameByFrame), tracking: carried },
  ];
  const scores: { readonly set: string; readonly scores: readonly ClipScore[] }[] = [];
  for (const { name, clips: own } of sets) scores.push({ set: name, scores: await scoresOf(name, own, methods) });
  for (const { segmenter } of methods) segmenter.dispose();
  carried.dispose();
  const summaries = scores.map(({ set, scores: own }) => ({ name: set, summaries: summariseClips(own) }));
  const table = clipTable(summaries);
  const file = join(out, 'clip-metrics.json');
  await writeFileAtomic(
    file,
    `${JSON.stringify(reportOf({ split, backend: running, detector: models.detector, masker: named }, summaries, scores), null, 1)}\n`,
  );
  const files = await writeTable(out, table);
  for (const line of markdownTable(table).trimEnd().split('\n')) consoleLogger.info(line);
  for (const name of [file, ...files.slice(0, 1)]) consoleLogger.info(name);
}

async function openSet(source: string, split: Split, count: number, frames: number): Promise<Set> {
  const domain = phantomDomains['standard'];
  if (source === PHANTOMS && domain !== undefined)
    return { name: PHANTOMS, clips: phantomClips(count, { ...SIZE, frames, domain, seed: SEEDS[split] }) };
  return { name: basename(source), clips: await sequencesOf(await CocoDataset.open(source, split)) };
}

async function byMemory(models: {
  readonly detector: string;
  readonly adapter: string | undefined;
  readonly masker: string;
}): Promise<ClipMethod> {
  const segmenter = await TrackedSegmenter.load(models);
  return { name: 'memory', segmenter, tracking: segmenter.tracker };
}

async function scoresOf(name: string, clips: readonly LabelledClip[], methods: readonly ClipMethod[]): Promise<ClipScore[]> {
  const total = clips.reduce((sum, { clip }) => sum + clip.frames, 0) * methods.length * clipProtocols.length;
  const progress = startProgress('frames');
  const scores: ClipScore[] = [];
  let done = 0;
  try {
    for (const clip of clips)
      for (const method of methods)
        for (const protocol of clipProtocols) {
          const note = `${name} ${clip.clip.name}, ${method.name}, ${protocol}`;
          const before = done;
          scores.push(await scoreClip(clip, method, protocol, () => progress.update(++done, total, note)));
          done = before + clip.clip.frames;
        }
  } finally {
    progress.stop();
  }
  return scores;
}

function reportOf(
  about: Readonly<Record<string, unknown>>,
  summaries: readonly { readonly name: string; readonly summaries: readonly ClipSummary[] }[],
  scores: readonly { readonly set: string; readonly scores: readonly ClipScore[] }[],
) {
  return {
    ...about,
    sets: summaries.map(({ name, summaries: rows }) => ({ name, rows, clips: scores.find(({ set }) => set === name)?.scores })),
  };
}
