import { join } from 'node:path';
import type { Split } from '../../data/index.js';
import type { EvaluationSplit } from '../../eval/index.js';
import {
  ANSWERS,
  AnswerCache,
  BoxMethod,
  detectedBoxes,
  detectedCentres,
  drawSupport,
  ExemplarMethod,
  type ExemplarOptions,
  MaskFolderMethod,
  ModelMethod,
  oracleBoxes,
  oraclePoints,
  PointMethod,
  type PointWay,
  type Support,
  seenBy,
  TextMethod,
} from '../../eval/index.js';
import type { LoadOptions } from '../../infer/index.js';
import { type BuiltEntry, checkWeights, findMethod, requirePublishedForm, requireTakes, weightsOf } from '../../methods/index.js';
import { readUniverSegConfig } from '../../pretrained/index.js';
import { type Method, PAPER_THRESHOLD, type SeenInTraining } from '../../protocols/index.js';
import { type OpenedSplits, type RunConfig, supportsOf } from '../../train/index.js';
import { UsageError } from '../../util/index.js';
import type { RunFold } from './run-folds.js';

/** Name of our own method in tables. */
export const OURS = 'ours';
export const VARIANTS = { base: 'not fine-tuned + SAM 2', medsam: 'fine-tuned + MedSAM', ours: 'fine-tuned + SAM 2' } as const;

export interface MethodsOptions {
  readonly config: RunConfig;
  readonly split: Split;
  /** Folders of masks written by other programs. */
  readonly predictions: readonly string[];
  /** Whether to evaluate the method's components separately too. */
  readonly ablation: boolean;
  /** Folder of a MedSAM model for the ablation. */
  readonly medsam?: string | undefined;
  /** Methods of the comparison, as {@link checkRequests} returns them. */
  readonly requests: readonly CheckedRequest[];
  /** Exemplars for methods that take them. */
  readonly support: ExemplarOptions;
  /** Ways to draw points from the ground truth for methods that take them. */
  readonly points: readonly PointWay[];
}

/** A method of the comparison to evaluate. */
export interface MethodRequest {
  readonly name: string;
  /** A folder, a file, or the name of a downloaded model. Default: the published weights, if `download` knows them. */
  readonly weights?: string | undefined;
  /** Add rows for the method as the published comparison ran it, if that departed from its authors. Default: false. */
  readonly asPublished?: boolean | undefined;
}

export interface OpenMethods {
  readonly splits: readonly EvaluationSplit[];
  /** Our method, one per fold. */
  readonly ours: readonly ModelMethod[];
  readonly folders: readonly MaskFolderMethod[];
  /** Warnings about the methods, for the reader. */
  readonly warnings: readonly string[];
}

/** Opens models as a method that caches its answers below the run's folder. */
export function openModels(
  { run, eval: judging }: Judged,
  name: string,
  models: LoadOptions,
  seen?: (dataset: string) => SeenInTraining,
): Promise<ModelMethod> {
  const { threshold, select } = judging;
  const policy = { threshold, select, bestFrom: Math.min(threshold, PAPER_THRESHOLD) };
  return ModelMethod.open({ name, models, cache: cacheOf(run), policy, seen });
}

/**
 * Opens a trained UniverSeg as `eval --method universeg` does, with the largest support of its training and the seed of its run,
 * but with scores.
 */
export async function openExemplarMethod(
  config: RunConfig,
  { train, test }: Pick<OpenedSplits, 'train' | 'test'>,
  weights: string,
): Promise<{ readonly method: ExemplarMethod; readonly support: Support }> {
  const entry = findMethod('universeg');
  requireTakes(entry, 'exemplars', 'task');
  const { most: count } = supportsOf(config);
  const { imageSize: side } = await readUniverSegConfig(weights);
  const support = await drawSupport(train, test, { count, seed: config.run.seed, side });
  const asked = { entry, weights, asPublished: false, support, count, cache: cacheOf(config.run) };
  return { method: await ExemplarMethod.open({ ...asked, name: OURS, scored: true }), support };
}

function cacheOf(run: Judged['run']): AnswerCache {
  return new AnswerCache(join(run.dir, ANSWERS));
}

/** Location of the answer cache, and evaluation settings. */
export type Judged = Pick<RunConfig, 'run' | 'eval'>;

/** Opens the methods to evaluate on each fold of a run. Ours comes first. */
export async function openMethods(folds: readonly RunFold[], options: MethodsOptions): Promise<OpenMethods> {
  const { config, split, predictions, ablation, medsam, requests } = options;
  const open = (name: string, models: LoadOptions) => openModels(config, name, models);
  const folders: MaskFolderMethod[] = [];
  for (const dir of predictions) {
    const [, name, path] = /^([^=/\\]+)=(.+)$/.exec(dir) ?? [];
    const folder = await MaskFolderMethod.open(path ?? dir, name);
    const taken: readonly string[] = [OURS, ...Object.values(VARIANTS), ...folders.map((other) => other.name)];
    if (taken.includes(folder.name))
      throw new UsageError({
        code: 'E_NAME_CLASH',
        where: '--predictions',
        what: `two methods would be called ${folder.name}`,
        fix: 'Give it another name: --predictions NAME=DIR',
      });
    folders.push(folder);
  }
  const ours: ModelMethod[] = [];
  const warnings = new Set<string>();
  const opened: EvaluationSplit[] = [];
  for (const { data, models, trained, trainedOn } of folds) {
    const own = await openModels(config, OURS, models, (dataset) => seenBy(trainedOn, dataset, 'training split'));
    const methods: Method[] = [own, ...folders];
    const support = requests.some(({ entry }) => entry.takes === 'exemplars')
      ? await drawSupport(data.train, data[split], options.support)
      : undefined;
    for (const note of support?.notes ?? []) warnings.add(note);
    const place = { own, support, count: options.support.count, points: options.points, cache: cacheOf(config.run) };
    for (const one of requests) methods.push(...(await openRequested(one, place)));
    if (ablation && trained)
      methods.push(
        await open(VARIANTS.base, { detector: config.model.detector, masker: config.model.masker, precision: models.precision }),
      );
    if (ablation && medsam !== undefined) methods.push(await open(VARIANTS.medsam, { ...models, masker: medsam }));
    ours.push(own);
    opened.push({ dataset: support?.evaluated ?? data[split], methods });
  }
  return { splits: opened, ours, folders, warnings: [...warnings] };
}

/** A method to evaluate, its weights, and its forms: as published or not. */
export interface CheckedRequest {
  readonly entry: BuiltEntry;
  readonly weights: string;
  readonly forms: readonly boolean[];
}

/**
 * Checks methods before any data is read. Of several methods that are asked for as published, those that the published comparison ran
 * as their authors do have one form.
 *
 * @throws UsageError for an unknown method, one that is not implemented, weights that must be named, or when none of the methods has
 * a published form that was asked for; CheckpointError for weights that are missing or of another method.
 */
export async function checkRequests(requests: readonly MethodRequest[]): Promise<CheckedRequest[]> {
  const known = requests.map((request) => ({ ...request, entry: findMethod(request.name) }));
  const wanted = known.filter(({ asPublished = false }) => asPublished).map(({ entry }) => entry);
  const [first] = wanted;
  if (first !== undefined && wanted.every(({ asPublished }) => asPublished === undefined))
    requirePublishedForm(first, { asPublished: true });
  for (const { entry, weights } of known) await checkWeights(entry, weights);
  return known.map(({ entry, weights, asPublished = false }) => {
    const forms = asPublished && entry.asPublished !== undefined ? [false, true] : [false];
    return { entry, weights: weightsOf(entry, weights), forms };
  });
}

/** What the methods of one fold share. */
interface Place {
  readonly own: ModelMethod;
  readonly support: Support | undefined;
  readonly count: number;
  readonly points: readonly PointWay[];
  readonly cache: AnswerCache;
}

/** Opens a method in each of its forms: given the ground truth, and what our detector finds in its place; exemplars; or text. */
async function openRequested(
  { entry, weights, forms }: CheckedRequest,
  { own, support, count, points, cache }: Place,
): Promise<Method[]> {
  const opened: Method[] = [];
  for (const asPublished of forms) {
    if (entry.takes === 'box')
      opened.push(...(await BoxMethod.open({ entry, weights, asPublished, sources: [oracleBoxes, detectedBoxes(own)], cache })));
    else if (entry.takes === 'text') opened.push(await TextMethod.open({ entry, weights, asPublished, cache }));
    else if (entry.takes === 'point') {
      const sources = [...points.map(oraclePoints), detectedCentres(own)];
      opened.push(...(await PointMethod.open({ entry, weights, asPublished, sources, cache })));
    } else if (support !== undefined)
      opened.push(await ExemplarMethod.open({ entry, weights, asPublished, support, count, cache }));
  }
  return opened;
}
