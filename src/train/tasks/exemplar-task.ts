import { tf } from '../../backend/index.js';
import type { AugmentChoice, Sample } from '../../data/index.js';
import { softDiceLoss, thresholdedIou } from '../../losses/index.js';
import type { UniverSeg } from '../../models/universeg/index.js';
import { type ForwardContext, inference, type PassFunction, TrainingPasses } from '../../nn/index.js';
import { greyInput, maskInput } from '../../processing/index.js';
import { Rng } from '../../util/index.js';
import { type Pair, pairOf, type SupportPool } from './support-pool.js';
import type { LossReport, TrainStep, TrainTask } from './task.js';
import { changeTask, drawTaskChange, type TaskChange } from './task-augment.js';

export interface ExemplarTaskOptions {
  readonly model: UniverSeg;
  /** The training images. Supports are drawn from them, in validation too. */
  readonly pool: SupportPool;
  /** Smallest and largest support; each step draws its size. Validation takes the largest. */
  readonly supports: { readonly least: number; readonly most: number };
  /** Augments the supports; the loader augments the targets. */
  readonly augment: AugmentChoice;
  /** Writes the current weights. */
  readonly save: (dir: string) => Promise<void>;
}

/** A target with what it shows, and its support. */
interface Episode {
  readonly target: Pair;
  readonly support: readonly Pair[];
  /** Changes target and support alike. */
  readonly change?: TaskChange;
}

type Outputs = { readonly logits: tf.Tensor4D };

/**
 * Trains UniverSeg: random targets, each with random supports of the same phrase, by the soft Dice loss and cross-entropy. Steps
 * are not compiled to graphs: almost all of their time is convolutions, and a graph would hold all support maps at once.
 */
export class ExemplarTask implements TrainTask {
  readonly model: UniverSeg;
  readonly save: (dir: string) => Promise<void>;
  private readonly pool: SupportPool;
  private readonly supports: ExemplarTaskOptions['supports'];
  private readonly augment: AugmentChoice;
  private readonly passes: TrainingPasses;

  constructor({ model, pool, supports, augment, save }: ExemplarTaskOptions) {
    this.model = model;
    this.pool = pool;
    this.supports = supports;
    this.augment = augment;
    this.save = save;
    this.passes = new TrainingPasses(model);
  }

  dispose(): void {
    this.passes.dispose();
    this.model.dispose();
  }

  async step(samples: readonly Sample[], rng: Rng): Promise<TrainStep> {
    const own = rng.fork();
    const { least, most } = this.supports;
    const size = least + rng.int(most - least + 1);
    const episodes = this.usable(samples).map((sample) => this.episode(sample, size, rng.fork(), this.augment));
    if (episodes.length === 0) return { ...NOTHING, gradients: new Map(), normaliser: 0 };
    return this.withBatch(episodes, async (segment, truth) => {
      const pass = await this.passes.forward(segment, own);
      try {
        const { report, dLogits } = await lossOf(pass.outputs.logits, truth);
        const gradients = pass.backward([[pass.outputs.logits, dLogits]]);
        dLogits.dispose();
        return { ...report, gradients, normaliser: episodes.length };
      } finally {
        pass.dispose();
      }
    });
  }

  /** Images that show nothing, or something that no other image shows, are skipped; the others have equal weight. */
  async loss(samples: readonly Sample[]): Promise<LossReport> {
    const { most } = this.supports;
    // The support of an image does not depend on the batch that it is in.
    const rngOf = ({ id }: Sample) => Rng.seeded(0, ...Buffer.from(id));
    const episodes = this.usable(samples).map((sample) => this.episode(sample, most, rngOf(sample)));
    if (episodes.length === 0) return NOTHING;
    return this.withBatch(episodes, async ({ forward }, truth) => {
      const { logits } = forward(inference);
      const { report, dLogits } = await lossOf(logits, truth);
      tf.dispose([logits, dLogits]);
      return report;
    });
  }

  private usable(samples: readonly Sample[]): Sample[] {
    return samples.filter((sample) => this.pool.phrasesOf(sample).length > 0);
  }

  private episode(sample: Sample, size: number, rng: Rng, augment?: AugmentChoice): Episode {
    const phrase = rng.pick(this.pool.phrasesOf(sample));
    const support = this.pool.draw(phrase, sample, size, rng, augment);
    const change = augment === undefined || augment === 'none' ? {} : { change: drawTaskChange(rng) };
    return { target: pairOf(sample, phrase), support, ...change };
  }

  /** Creates the tensors of a batch, and frees them after `use` is done with the logits and their ground truth. */
  private async withBatch<T>(
    episodes: readonly Episode[],
    use: (segment: PassFunction<Outputs>, truth: tf.Tensor3D) => Promise<T>,
  ): Promise<T> {
    const side = this.model.config.imageSize;
    const size = episodes[0]?.support.length ?? 0;
    const area = side * side;
    const [targets, truths] = [new Float32Array(episodes.length * area), new Float32Array(episodes.length * area)];
    const [images, masks] = [new Float32Array(targets.length * size), new Float32Array(targets.length * size)];
    for (const [b, { target, support, change }] of episodes.entries()) {
      const put = ({ image, mask }: Pair, at: number, intoImages: Float32Array, intoMasks: Float32Array) => {
        const [grey, inside] = [greyInput(image, side), maskInput(mask, side)];
        if (change !== undefined) changeTask(grey, inside, side, change);
        intoImages.set(grey, at * area);
        intoMasks.set(inside, at * area);
      };
      put(target, b, targets, truths);
      for (const [s, pair] of support.entries()) put(pair, b * size + s, images, masks);
    }
    const inputs = {
      target: tf.tensor4d(targets, [episodes.length, 1, side, side]),
      supportImages: tf.tensor5d(images, [episodes.length, size, 1, side, side]),
      supportMasks: tf.tensor5d(masks, [episodes.length, size, 1, side, side]),
    };
    const truth = tf.tensor3d(truths, [episodes.length, side, side]);
    const { target, supportImages, supportMasks } = inputs;
    const forward = (context: ForwardContext): Outputs => ({
      logits: this.model.forward(target, supportImages, supportMasks, context),
    });
    try {
      return await use({ variant: 'exemplars', inputs, forward }, truth);
    } finally {
      tf.dispose([inputs, truth]);
    }
  }
}

/** A batch without anything to segment contributes nothing. */
const NOTHING: LossReport = { total: 0, terms: {} };

/**
 * Mean soft Dice loss of a batch plus its cross-entropy, the IoU with the ground truth, and the gradient with respect to the
 * logits. The authors train by the Dice loss alone; a model that calls every pixel inside, as new ones soon do at this project's
 * rates, gets no gradient from it.
 */
async function lossOf(logits: tf.Tensor4D, truth: tf.Tensor3D): Promise<{ report: LossReport; dLogits: tf.Tensor }> {
  const plane = (x: tf.Tensor) => tf.reshape(x, truth.shape) as tf.Tensor3D;
  const diceOf = (x: tf.Tensor) => tf.mean(softDiceLoss(plane(x), truth));
  const crossEntropyOf = (x: tf.Tensor) => tf.mean(tf.sub(tf.softplus(plane(x)), tf.mul(plane(x), truth)));
  const { value, grad } = tf.valueAndGrad((x) => tf.add(diceOf(x), crossEntropyOf(x)) as tf.Scalar)(logits) as unknown as {
    value: tf.Scalar;
    grad: tf.Tensor;
  };
  const terms = tf.tidy(() => {
    const overlap = tf.mean(thresholdedIou(plane(logits), truth));
    return tf.stack([value, diceOf(logits), crossEntropyOf(logits), overlap]);
  });
  const [total = 0, dice = 0, crossEntropy = 0, overlap = 0] = await terms.data<'float32'>();
  tf.dispose([value, terms]);
  return { report: { total, terms: { dice, crossEntropy, overlap } }, dLogits: grad };
}
