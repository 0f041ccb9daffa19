import { tf } from '../backend/index.js';
import type { Dataset, Sample } from '../data/index.js';
import { adaptersIn } from '../lora/index.js';
import type { Gradients, Module, Parameter } from '../nn/index.js';
import { ConfigError, DataError, type Logger, Rng } from '../util/index.js';
import type { TrainTask } from './tasks/index.js';

/** Bound of the noise put into the zero-initialised B, so that A gets a gradient. */
const NOISE = 0.01;

/** Stochastic depth, or an image without objects, can leave a layer out of one step, so several are tried. */
const TRIES = 4;

/** Images searched for several with objects; all images are searched for the first. */
const LOOKED_THROUGH = 64;

/** A trainable component and the parameters that represent it. */
interface Part {
  readonly path: string;
  /** Whether all of them must get a gradient, or just any. */
  readonly every: boolean;
  readonly parameters: readonly Parameter[];
}

/**
 * Verifies on single images, before training, that every adapter and every fully trained layer gets a gradient and that the
 * adapters affect the loss. The B matrices temporarily contain noise and are then restored bit for bit.
 *
 * @throws ConfigError naming the parts with no gradient, or with one that is not finite.
 */
export async function preflight(task: TrainTask, dataset: Dataset, seed: number, logger: Logger): Promise<void> {
  const started = performance.now();
  const adapters = adaptersIn(task.model);
  const parts = partsOf(task.model);
  const samples = await samplesWithObjects(dataset);
  const rng = Rng.seeded(seed, 11);
  const [first] = samples as [Sample];
  const before = await task.loss([first]);
  const kept = adapters.map(({ module }) => module.loraB.value.clone());
  const alive = new Set<Part>();
  try {
    for (const { module } of adapters) disturb(module.loraB, rng);
    const after = await task.loss([first]);
    if (adapters.length > 0 && after.total === before.total) throw dead('the adapters do not change the loss', adapters.length);
    for (let i = 0; i < TRIES && alive.size < parts.length; i++) {
      const { gradients } = await task.step([samples[i % samples.length] as Sample], rng.fork());
      for (const part of await partsWithGradient(parts, gradients)) alive.add(part);
      tf.dispose([...gradients.values()]);
    }
  } finally {
    for (const [i, { module }] of adapters.entries()) module.loraB.assign(kept[i] as tf.Tensor);
    tf.dispose(kept);
  }
  const silent = parts.filter((part) => !alive.has(part)).map(({ path }) => path);
  if (silent.length > 0) throw dead(`${listed(silent)} get no gradient`, parts.length);
  const whole = parts.length - adapters.length;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  logger.info(
    `preflight: ${adapters.length} adapters${whole > 0 ? ` and ${whole} fully trained layers` : ''} receive gradients and change the loss (${seconds} s)`,
  );
}

/** Adapters, each with both its matrices, and the other layers with trainable parameters. */
function partsOf(model: Module): Part[] {
  const adapters = adaptersIn(model).map(({ module, paths }) => ({
    path: paths[0],
    every: true,
    parameters: [module.loraA, module.loraB],
  }));
  const whole = new Map<string, Parameter[]>();
  const seen = new Set<Parameter>();
  for (const [path, parameter] of model.namedParameters()) {
    if (!parameter.trainable || parameter.adapter || seen.has(parameter)) continue;
    seen.add(parameter);
    const owner = path.split('.').slice(0, -1).join('.') || path;
    whole.set(owner, [...(whole.get(owner) ?? []), parameter]);
  }
  return [...adapters, ...[...whole].map(([path, parameters]) => ({ path, every: false, parameters }))];
}

/**
 * Returns up to `most` images with objects.
 *
 * @throws DataError when no image of the dataset has objects.
 */
export async function samplesWithObjects(dataset: Dataset, most = TRIES): Promise<Sample[]> {
  const found: Sample[] = [];
  for (let i = 0; i < dataset.size && found.length < most; i++) {
    if (found.length > 0 && i >= LOOKED_THROUGH) break;
    const sample = await dataset.load(i);
    if (sample.objects.length > 0) found.push(sample);
  }
  if (found.length > 0) return found;
  throw new DataError({
    code: 'E_DATA_NO_OBJECTS',
    where: `data ${dataset.name}`,
    what: `there is no object in any of its ${dataset.size} training images: every mask is empty, or every list of annotations`,
    fix: 'Look at how its masks were read',
  });
}

/** Adds noise to a zero matrix. */
function disturb(parameter: Parameter, rng: Rng): void {
  tf.tidy(() => {
    const noise = Float32Array.from({ length: parameter.value.size }, () => rng.uniform(-NOISE, NOISE));
    parameter.assign(tf.add(parameter.value, tf.tensor(noise, [...parameter.shape])));
  });
}

/** @throws ConfigError when a gradient is not finite. */
async function partsWithGradient(parts: readonly Part[], gradients: Gradients): Promise<Part[]> {
  const parameters = [...new Set(parts.flatMap((part) => part.parameters))].filter((parameter) => gradients.has(parameter));
  if (parameters.length === 0) return [];
  const largest = tf.tidy(() => tf.stack(parameters.map((parameter) => tf.max(tf.abs(gradients.get(parameter) as tf.Tensor)))));
  const values = await largest.data<'float32'>();
  const sizes = new Map(parameters.map((parameter, i) => [parameter, values[i] as number] as const));
  largest.dispose();
  const broken = parts.filter((part) => part.parameters.some((parameter) => !Number.isFinite(sizes.get(parameter) ?? 0)));
  if (broken.length > 0) throw dead(`${listed(broken.map(({ path }) => path))} get a gradient that is not finite`, parts.length);
  const moves = (parameter: Parameter) => (sizes.get(parameter) ?? 0) > 0;
  return parts.filter((part) => (part.every ? part.parameters.every(moves) : part.parameters.some(moves)));
}

function dead(what: string, of: number): ConfigError {
  return new ConfigError({
    code: 'E_PREFLIGHT',
    where: 'train.preflight',
    what: `of ${of} adapted or trained layers, ${what}`,
    fix: 'Take them out of lora.targetModules and lora.modulesToSave, or set train.preflight: false',
  });
}

function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, 8).join(', ');
  return paths.length > 8 ? `${shown} and ${paths.length - 8} more` : shown;
}
