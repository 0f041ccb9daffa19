import type { Dataset, Sample } from '../data/index.js';
import { type Shard, shardOf } from '../infer/index.js';
import type { ImageBoxes } from '../metrics/index.js';
import {
  type Answer,
  protocols as bothProtocols,
  type DatasetSurvey,
  leakOf,
  type Method,
  type PromptPlan,
  type ProtocolName,
  paperRows,
  phrasesOf,
  planPrompt,
  strictRows,
  surveyDatasets,
  type TargetRow,
  UNTRAINED_IMAGES,
  WHOLE,
} from '../protocols/index.js';
import { type TruthRuns, truthRuns } from './constant-mask.js';
import { type WordingRow, wordingRows } from './robustness/wording-rows.js';
import { type TrustedRow, trustRows } from './trust/trust-rows.js';

/** Images and the methods to evaluate on them; each fold of a cross-validation has its own models. */
export interface EvaluationSplit {
  readonly dataset: Dataset;
  /** The first method is analysed in depth. All parts name the same methods in the same order. */
  readonly methods: readonly Method[];
}

/** Options of an evaluation. */
export interface CollectOptions {
  /** Default: both. */
  readonly protocols?: readonly ProtocolName[] | undefined;
  /** Common properties of each dataset's images, if known; they determine the prompts. Default: surveyed first. */
  readonly surveys?: ReadonlyMap<string, DatasetSurvey> | undefined;
  /** Phrases to prompt for instead of the datasets' own names. */
  readonly prompt?: readonly string[] | undefined;
  readonly threshold: number;
  readonly select: 'all' | 'best-per-phrase';
  /** Grid of the paper's protocol. Default: the image's. */
  readonly grid?: 'image' | 'prediction' | undefined;
  /** Boundary distance tolerance. */
  readonly tolerance: { readonly mm: number; readonly px: number };
  /** Whether to evaluate mirrored images too. */
  readonly trust: boolean;
  /** The wordings to try for a structure, its own name first; empty for none. */
  readonly wordings: (structure: string) => readonly string[];
  /** Structures that no image shows, each prompted separately. */
  readonly negatives: readonly string[];
  /** A shard of the images, numbered across all splits. Default: all images. Prompts are always derived from all images. */
  readonly shard?: Shard | undefined;
  /** Progress callback. */
  readonly onProgress?: (stage: 'reading' | 'images', done: number, total: number) => void;
}

/** The location of an image, for loading it again. */
export interface ImagePlace {
  readonly split: EvaluationSplit;
  readonly index: number;
  readonly dataset: string;
  readonly image: string;
}

/** All data collected from the images; every figure is derived from it. */
export interface Collected {
  readonly surveys: ReadonlyMap<string, DatasetSurvey>;
  readonly plans: ReadonlyMap<string, PromptPlan>;
  readonly methods: readonly string[];
  /** Those of them with random weights, which were run on some images only. */
  readonly untrained: readonly string[];
  /** All methods and protocols; strict rows of the first method include predicted quality. */
  readonly rows: readonly (TargetRow | TrustedRow)[];
  /** Scored boxes, by method and dataset. */
  readonly boxes: ReadonlyMap<string, ReadonlyMap<string, readonly ImageBoxes[]>>;
  readonly wordingRows: readonly WordingRow[];
  /** The location of each image, in the order of the splits. */
  readonly places: readonly ImagePlace[];
  /** The ground truth of each image, in the same order. */
  readonly truths: readonly TruthRuns[];
  /** Warnings about prompts, for the reader. */
  readonly warnings: readonly string[];
}

/** Evaluates every method on every image under each protocol, one image at a time. */
export async function collect(splits: readonly EvaluationSplit[], options: CollectOptions): Promise<Collected> {
  const { onProgress, protocols = bothProtocols } = options;
  const surveys =
    options.surveys ??
    (await surveyDatasets(
      splits.map(({ dataset }) => dataset),
      (done, total) => onProgress?.('reading', done, total),
    ));
  const plans = new Map([...surveys].map(([name, survey]) => [name, planPrompt(survey, options.prompt)]));
  const rows: (TargetRow | TrustedRow)[] = [];
  const boxes = new Map<string, Map<string, ImageBoxes[]>>();
  const asked: WordingRow[] = [];
  const places: ImagePlace[] = [];
  const truths: TruthRuns[] = [];
  const total = splits.reduce((sum, { dataset }) => sum + dataset.size, 0);
  const wanted = wantedOf(total, options.shard);
  const counts = new Map<string, number>();
  let [done, position] = [0, 0];
  for (const split of splits) {
    const { dataset, methods } = split;
    for (let i = 0; i < dataset.size; i++) {
      if (!wanted.has(position++)) continue;
      const sample = await dataset.load(i);
      const before = counts.get(sample.dataset) ?? 0;
      counts.set(sample.dataset, before + 1);
      places.push({ split, index: i, dataset: sample.dataset, image: sample.id });
      truths.push(truthRuns(sample));
      for (const [k, method] of methods.entries()) {
        if (method.untrained === true && before >= UNTRAINED_IMAGES) continue;
        const judged = await judgeImage(method, sample, k === 0, surveys, plans, options);
        for (const row of judged.rows) rows.push(row);
        for (const row of judged.wordings) asked.push(row);
        if (judged.boxes !== undefined) listOf(listsOf(boxes, method.name), sample.dataset).push(judged.boxes);
      }
      done += 1;
      onProgress?.('images', done, wanted.size);
    }
    // The next fold does not need this fold's models; a later query reloads them.
    for (const method of methods) await method.dispose();
  }
  const warnings = [...surveys].flatMap(([name, survey]) =>
    protocols.flatMap((protocol) => leakOf(protocol, survey, plans.get(name) as PromptPlan) ?? []),
  );
  const first = splits[0]?.methods ?? [];
  const methods = first.map(({ name }) => name);
  return {
    surveys,
    plans,
    methods,
    untrained: first.filter(({ untrained }) => untrained === true).map(({ name }) => name),
    rows,
    boxes,
    wordingRows: asked,
    places,
    truths,
    warnings: [...warnings, ...blindMethods(rows)],
  };
}

/** Indices of the images to evaluate, numbered across all splits. */
function wantedOf(total: number, shard: Shard | undefined): ReadonlySet<number> {
  const all = Array.from({ length: total }, (_, i) => i);
  return new Set(shard === undefined ? all : shardOf(all, shard));
}

function listsOf<T>(all: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const known = all.get(key) ?? new Map<string, T>();
  all.set(key, known);
  return known;
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const known = lists.get(key) ?? [];
  lists.set(key, known);
  return known;
}

/** Warnings about methods whose masks carry no class labels. */
function blindMethods(rows: readonly TargetRow[]): string[] {
  const blind = rows.filter(({ target, protocol }) => target === WHOLE && protocol === 'strict');
  return [...new Set(blind.map(({ method }) => method))].map(
    (method) =>
      `${method}: its masks do not state which structure they show; where an image shows several, its strict score covers all of them together`,
  );
}

interface JudgedImage {
  readonly rows: readonly (TargetRow | TrustedRow)[];
  readonly boxes: ImageBoxes | undefined;
  readonly wordings: readonly WordingRow[];
}

async function judgeImage(
  method: Method,
  sample: Sample,
  first: boolean,
  surveys: ReadonlyMap<string, DatasetSurvey>,
  plans: ReadonlyMap<string, PromptPlan>,
  options: CollectOptions,
): Promise<JudgedImage> {
  const { structures, unit } = surveys.get(sample.dataset) as DatasetSurvey;
  const plan = plans.get(sample.dataset) as PromptPlan;
  const { threshold, select, wordings, protocols = bothProtocols } = options;
  const judging = { unit, tolerance: options.tolerance[unit] };
  const counting = { threshold, select };
  const strict = await strictRows(method, sample, { ...judging, ...counting, plan });
  const paper = protocols.includes('paper')
    ? await paperRows(method, sample, { ...judging, structures, grid: options.grid })
    : [];
  if (!first || !method.scored) return { rows: [...strict.rows, ...paper], boxes: strict.boxes, wordings: [] };

  const trusted = await trustRows(method, sample, phrasesOf(plan, sample), strict.rows, {
    ...counting,
    flip: options.trust,
    wordings: (target): Promise<Answer[]> =>
      Promise.all(
        wordings(target)
          .slice(1)
          .map((wording) => method.answer(sample, [wording])),
      ),
  });
  const negatives: TargetRow[] = [];
  for (const phrase of options.negatives) {
    const alone: PromptPlan = { kind: 'fixed', phrases: [phrase], whole: false };
    const nothing = { ...sample, objects: sample.objects.filter((object) => object.phrase === phrase) };
    negatives.push(...(await strictRows(method, nothing, { ...judging, ...counting, plan: alone })).rows);
  }
  return {
    rows: [...trusted, ...negatives, ...paper],
    boxes: strict.boxes,
    wordings: await wordingRows(method, sample, wordings, counting),
  };
}
