import { tf } from '../backend/index.js';
import type { Sample } from '../data/index.js';
import { Rng, SonogroundError } from '../util/index.js';
import type { OptimConfig } from './config.js';
import { Accumulator, type AdamW, clipScale, type Ema, type GlobalNorm, learningRateAt, shares } from './optim/index.js';
import type { LossReport, TrainTask } from './task.js';

export interface StepOptions {
  readonly task: TrainTask;
  readonly optimiser: AdamW;
  readonly ema: Ema | undefined;
  readonly norm: GlobalNorm;
  readonly config: OptimConfig;
  readonly seed: number;
  readonly totalSteps: number;
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
 * if prompts tokenise to the same length, images are padded to the same size and dropout is off.
 *
 * @param step - number of updates before.
 * @throws SonogroundError naming the step and the images when a loss, gradient or updated parameter is not finite.
 */
export async function takeStep(batches: readonly Sample[][], step: number, options: StepOptions): Promise<StepReport> {
  const { optimiser, ema, config, totalSteps } = options;
  const { gradients, report } = await gather(batches, step, options);
  try {
    const norm = await options.norm.of(gradients);
    if (!Number.isFinite(norm)) throw notFinite('gradient', step, batches.flat());
    const learningRate = learningRateAt(step, {
      schedule: config.schedule,
      peak: config.learningRate,
      warmupSteps: config.warmupSteps,
      totalSteps,
    });
    const finite = await optimiser.step(gradients, learningRate, clipScale(norm, config.clipNorm));
    if (!finite) throw notFinite('update', step, batches.flat());
    await ema?.update();
    return { ...report, learningRate, norm };
  } finally {
    tf.dispose([...gradients.values()]);
  }
}

async function gather(batches: readonly Sample[][], step: number, { task, config, seed }: StepOptions) {
  const normalisers = batches.map((samples) => task.normaliser?.(samples) ?? samples.length);
  const weights = shares(normalisers);
  const sum = new Accumulator();
  const reports: LossReport[] = [];
  try {
    for (const [k, samples] of batches.entries()) {
      const { gradients, total, terms } = await task.step(samples, Rng.seeded(seed, 1, step * config.accumulate + k));
      if (batches.length === 1 && Number.isFinite(total)) return { gradients, report: { total, terms } };
      sum.add({ gradients, normaliser: normalisers[k] as number });
      if (!Number.isFinite(total)) throw notFinite('loss', step, samples);
      reports.push({ total, terms });
    }
    return { gradients: sum.finish(), report: weighted(reports, weights) };
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

/** The error that stops a run before non-finite values are saved. */
export function notFinite(what: string, step: number, samples: readonly Sample[]): SonogroundError {
  return new SonogroundError({
    code: 'E_LOSS_NOT_FINITE',
    where: `step ${step + 1}`,
    what: `the ${what} is not finite, with ${samples.map(({ file, id }) => file ?? id).join(', ')}`,
    fix: 'The last checkpoint is intact. Lower train.learningRate or look at these images',
  });
}
