import { tf } from '../backend/index.js';
import type { Sample } from '../data/index.js';
import type { Gradients, Parameter } from '../nn/index.js';
import { Rng, SonogroundError } from '../util/index.js';
import type { OptimConfig } from './config.js';
import { Accumulator, type AdamW, clipScale, divided, type Ema, type GlobalNorm, learningRateAt, shares } from './optim/index.js';
import { type Ranks, sumGradients } from './ranks/index.js';
import type { LossReport, TrainTask } from './tasks/index.js';

export interface StepOptions {
  readonly task: TrainTask;
  readonly optimiser: AdamW;
  readonly ema: Ema | undefined;
  readonly norm: GlobalNorm;
  readonly config: OptimConfig;
  readonly seed: number;
  readonly totalSteps: number;
  /** The processes that share each batch. Default: this one alone. */
  readonly ranks?: Ranks | undefined;
  /** The trained parameters in the order of all ranks; needed with `ranks`. */
  readonly parameters?: readonly (readonly [string, Parameter])[];
}

export interface StepReport extends LossReport {
  readonly learningRate: number;
  /** Global norm of the gradient before clipping. */
  readonly norm: number;
}

/**
 * One update from one batch, or from several whose gradients are accumulated.
 *
 * Accumulated batches give the same update as one batch of all their images, up to the order of additions; for the detector only
 * if prompts tokenise to the same length, images are padded to the same size and dropout is off. The parts of a batch that
 * several ranks take are accumulated likewise.
 *
 * @param batches - with `ranks`, this rank's parts of them, which may be empty.
 * @param step - number of updates before.
 * @throws SonogroundError naming the step and the images when a loss, gradient or updated parameter is not finite.
 */
export async function takeStep(batches: readonly Sample[][], step: number, options: StepOptions): Promise<StepReport> {
  const { optimiser, ema, config, totalSteps } = options;
  const { gradients, report } = await accumulate(batches, step, options);
  const images = () => imagesOf(batches.flat(), options.ranks);
  try {
    const norm = await options.norm.of(gradients);
    if (!Number.isFinite(norm)) throw notFinite('gradient', step, await images());
    const learningRate = learningRateAt(step, {
      schedule: config.schedule,
      peak: config.learningRate,
      warmupSteps: config.warmupSteps,
      totalSteps,
    });
    const finite = await optimiser.step(gradients, learningRate, clipScale(norm, config.clipNorm));
    if (!finite) throw notFinite('update', step, await images());
    await ema?.update();
    return { ...report, learningRate, norm };
  } finally {
    tf.dispose([...gradients.values()]);
  }
}

/** The gradients and the loss of one process's batches, to be combined. */
interface Part {
  readonly sum: Accumulator;
  readonly normalisers: readonly number[];
  readonly reports: readonly LossReport[];
}

interface Accumulated {
  readonly gradients: Gradients;
  readonly report: LossReport;
}

async function accumulate(batches: readonly Sample[][], step: number, options: StepOptions): Promise<Accumulated> {
  const { ranks, parameters = [], task, config, seed } = options;
  if (ranks === undefined && batches.length === 1) {
    const [samples] = batches as [Sample[]];
    const { gradients, total, terms } = await task.step(samples, Rng.seeded(seed, 1, step * config.accumulate));
    if (Number.isFinite(total)) return { gradients, report: { total, terms } };
    tf.dispose([...gradients.values()]);
    throw notFinite('loss', step, names(samples));
  }
  const { sum, normalisers, reports } = await partOf(batches, step, options);
  try {
    if (ranks === undefined) return { gradients: sum.finish(), report: weighted(reports, shares(normalisers)) };
    const parts = await ranks.gather({ normalisers, reports });
    const all = parts.flatMap((part) => part.normalisers);
    const gradients = divided(await sumGradients(ranks, parameters, sum.take()), all);
    const report = weighted(
      parts.flatMap((part) => part.reports),
      shares(all),
    );
    return { gradients, report };
  } catch (error) {
    sum.dispose();
    throw error;
  }
}

async function partOf(batches: readonly Sample[][], step: number, { task, config, seed, ranks }: StepOptions): Promise<Part> {
  const sum = new Accumulator();
  const normalisers: number[] = [];
  const reports: LossReport[] = [];
  try {
    for (const [k, samples] of batches.entries()) {
      if (samples.length === 0) continue;
      // Ranks draw their own numbers for dropout and prompts.
      const place = [step * config.accumulate + k, ...(ranks === undefined ? [] : [ranks.rank])];
      const { gradients, normaliser, total, terms } = await task.step(samples, Rng.seeded(seed, 1, ...place));
      sum.add({ gradients, normaliser });
      if (!Number.isFinite(total)) throw notFinite('loss', step, names(samples));
      normalisers.push(normaliser);
      reports.push({ total, terms });
    }
    return { sum, normalisers, reports };
  } catch (error) {
    sum.dispose();
    throw error;
  }
}

function weighted(reports: readonly LossReport[], weights: readonly number[]): LossReport {
  const sum = (pick: (report: LossReport) => number) =>
    reports.reduce((total, report, k) => total + pick(report) * (weights[k] as number), 0);
  const names = Object.keys(reports[0]?.terms ?? {});
  return {
    total: sum(({ total }) => total),
    terms: Object.fromEntries(names.map((name) => [name, sum(({ terms }) => terms[name] ?? 0)])),
  };
}

/** Names of samples, for messages. */
export function names(samples: readonly Sample[]): string[] {
  return samples.map(({ file, id }) => file ?? id);
}

/** The images of an update, those of all ranks. */
async function imagesOf(samples: readonly Sample[], ranks: Ranks | undefined): Promise<string[]> {
  return ranks === undefined ? names(samples) : (await ranks.gather(names(samples))).flat();
}

/** The error that stops a run before non-finite values are saved. */
export function notFinite(what: string, step: number, images: readonly string[]): SonogroundError {
  return new SonogroundError({
    code: 'E_LOSS_NOT_FINITE',
    where: `step ${step + 1}`,
    what: `the ${what} is not finite, with ${images.join(', ')}`,
    fix: 'The last checkpoint is intact. Lower train.learningRate or look at these images',
  });
}
