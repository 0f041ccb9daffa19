import { join } from 'node:path';
import type { Split } from '../../data/index.js';
import type { EvaluationSplit } from '../../eval/index.js';
import { ANSWERS, AnswerCache, MaskFolderMethod, ModelMethod } from '../../eval/index.js';
import type { LoadOptions } from '../../infer/index.js';
import { type Method, PAPER_THRESHOLD } from '../../protocols/index.js';
import type { RunConfig } from '../../train/index.js';
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
}

export interface OpenMethods {
  readonly splits: readonly EvaluationSplit[];
  /** Our method, one per fold. */
  readonly ours: readonly ModelMethod[];
  readonly folders: readonly MaskFolderMethod[];
}

/** Opens models as a method that caches its answers below the run's folder. */
export function openModels({ run, eval: judging }: Judged, name: string, models: LoadOptions): Promise<ModelMethod> {
  const { threshold, select } = judging;
  const policy = { threshold, select, bestFrom: Math.min(threshold, PAPER_THRESHOLD) };
  return ModelMethod.open({ name, models, cache: new AnswerCache(join(run.dir, ANSWERS)), policy });
}

/** Location of the answer cache, and evaluation settings. */
export type Judged = Pick<RunConfig, 'run' | 'eval'>;

/** Opens the methods to evaluate on each fold of a run. Ours comes first. */
export async function openMethods(folds: readonly RunFold[], options: MethodsOptions): Promise<OpenMethods> {
  const { config, split, predictions, ablation, medsam } = options;
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
  const opened: EvaluationSplit[] = [];
  for (const { data, models, trained } of folds) {
    const own = await open(OURS, models);
    const methods: Method[] = [own, ...folders];
    if (ablation && trained)
      methods.push(await open(VARIANTS.base, { detector: config.model.detector, masker: config.model.masker }));
    if (ablation && medsam !== undefined) methods.push(await open(VARIANTS.medsam, { ...models, masker: medsam }));
    ours.push(own);
    opened.push({ dataset: data[split], methods });
  }
  return { splits: opened, ours, folders };
}
