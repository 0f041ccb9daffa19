import { tf } from '../../backend/index.js';
import type { Sample } from '../../data/index.js';
import type { RasterImage } from '../../imaging/index.js';
import { objectScoreLoss } from '../../losses/index.js';
import type { Sam2ImageFeatures, Sam2Video } from '../../models/sam2/index.js';
import { inference, type PassFunction, TrainingPasses } from '../../nn/index.js';
import type { ImageProcessor } from '../../processing/index.js';
import type { Rng } from '../../util/index.js';
import { type ClipTensors, clipTensors, drawPrompt, followedObject, framesOf, isFollowable } from './clip-batch.js';
import { type FollowedFrame, followClip } from './follow-clip.js';
import { ImageFeatures } from './image-features.js';
import { lossOf } from './mask-loss.js';
import type { LossReport, TrainStep, TrainTask } from './task.js';

export interface MemoryTaskOptions {
  readonly model: Sam2Video;
  readonly imageProcessor: ImageProcessor;
  /** Writes the current weights. */
  readonly save: (dir: string) => Promise<void>;
  /** Whether to compile steps to graphs; see {@link TrainingPasses}. Default: false. */
  readonly capture?: boolean;
}

type Outputs = { readonly frames: readonly FollowedFrame[] };

/** The images of a batch: their features, or where the encoder is trained their pixels, [T * B, S, S, 3] f32. */
interface Images {
  readonly features?: Sam2ImageFeatures;
  readonly pixelValues?: tf.Tensor4D;
}

/** Gradients of a loss at outputs; the latter are not its own. */
type OutputGradients = readonly (readonly [tf.Tensor, tf.Tensor])[];

/**
 * Trains the memory of SAM 2: an object of each clip is marked on the first frame and followed through the others; the loss of all
 * frames goes back through what was remembered. Whether an object is visible is remembered as it is, not as it was predicted.
 *
 * @see Ravi et al. 2024, SAM 2, appendix D.2
 */
export class MemoryTask implements TrainTask {
  readonly model: Sam2Video;
  readonly save: (dir: string) => Promise<void>;
  private readonly imageProcessor: ImageProcessor;
  private readonly passes: TrainingPasses;
  private readonly features: ImageFeatures;
  /** Whether image features are computed once, without gradients. */
  private readonly fixed: boolean;

  constructor({ model, imageProcessor, save, capture = false }: MemoryTaskOptions) {
    this.model = model;
    this.imageProcessor = imageProcessor;
    this.save = save;
    this.passes = new TrainingPasses(model, { capture });
    this.features = new ImageFeatures(model, imageProcessor);
    this.fixed = model.encodesFixed;
  }

  dispose(): void {
    this.passes.dispose();
    this.features.dispose();
    this.model.dispose();
  }

  async step(samples: readonly Sample[], rng: Rng): Promise<TrainStep> {
    const shown = samples.filter(isFollowable);
    if (shown.length === 0) return { ...NOTHING, gradients: new Map(), normaliser: 0 };
    const own = rng.fork();
    const prompt = drawPrompt(rng);
    // Batches of one size are one graph: others take the place of clips without objects.
    const objects = samples.map((_, k) => followedObject(shown[k % shown.length] as Sample, rng));
    const tensors = clipTensors(objects, prompt, this.side);
    const images = this.fixed ? { features: await this.features.of(framesOf(objects)) } : this.pixelsOf(framesOf(objects));
    const frames = objects[0]?.images.length ?? 0;
    try {
      const pass = await this.passes.forward(this.followed(tensors, images, `${prompt} ${frames}`, frames), own);
      try {
        const { report, gradients: at } = await this.lossOf(pass.outputs.frames, tensors, objects.length);
        const gradients = pass.backward(at.filter(([output]) => pass.depends(output)));
        tf.dispose(at.map(([, gradient]) => gradient));
        return { ...report, gradients, normaliser: shown.length };
      } finally {
        pass.dispose();
      }
    } finally {
      tf.dispose([{ ...tensors }, { ...images.features }, images.pixelValues]);
    }
  }

  /** Clips without objects are skipped; the others have equal weight. */
  /** Follows by a box, with the memory of what was predicted alone. */
  async loss(samples: readonly Sample[]): Promise<LossReport> {
    const shown = samples.filter(isFollowable);
    if (shown.length === 0) return NOTHING;
    const objects = shown.map((sample) => followedObject(sample));
    const tensors = clipTensors(objects, 'box', this.side);
    const features = await this.features.of(framesOf(objects));
    const { points, labels } = tensors;
    const count = objects[0]?.images.length ?? 0;
    const frames = tf.tidy(() => {
      const found = followClip(this.model, { frames: count, features, points, labels }, inference);
      return found as unknown as tf.TensorContainer;
    }) as unknown as FollowedFrame[];
    try {
      const { report, gradients } = await this.lossOf(frames, tensors, objects.length);
      tf.dispose(gradients.map(([, gradient]) => gradient));
      return report;
    } finally {
      tf.dispose([frames.map((frame) => ({ ...frame })), { ...tensors }, { ...features }]);
    }
  }

  private get side(): number {
    return this.model.config.promptEncoder.imageSize;
  }

  private pixelsOf(images: readonly RasterImage[]): Images {
    const { pixelValues, pixelMask } = this.imageProcessor.process(images);
    pixelMask.dispose();
    return { pixelValues };
  }

  private followed(
    { visible, points, labels, masks }: ClipTensors,
    { features, pixelValues }: Images,
    variant: string,
    frames: number,
  ): PassFunction<Outputs> {
    return {
      variant,
      inputs: { ...(features ?? { pixelValues }), visible, points, labels, masks },
      forward: (context) =>
        tf.tidy(() => {
          const found = followClip(this.model, { frames, pixelValues, features, visible, points, labels, masks }, context);
          return { frames: found } as unknown as tf.TensorContainer;
        }) as unknown as Outputs,
    };
  }

  /** The loss of masks where objects are visible, and of object scores everywhere. */
  private async lossOf(
    found: readonly FollowedFrame[],
    { truth, visible }: ClipTensors,
    objects: number,
  ): Promise<{ readonly report: LossReport; readonly gradients: OutputGradients }> {
    const seen = [...(await visible.data<'float32'>())];
    const missing = seen.length / objects - found.length; // a given mask is not predicted
    const total = Math.max(
      1,
      seen.slice(missing * objects).reduce((sum, one) => sum + one, 0),
    );
    const gradients: (readonly [tf.Tensor, tf.Tensor])[] = [];
    const sum: Record<string, number> = {};
    const add = (terms: Readonly<Record<string, number>>) => {
      for (const [name, value] of Object.entries(terms)) sum[name] = (sum[name] ?? 0) + value;
    };
    for (const [k, { candidates, candidateScores, objectScoreLogits }] of found.entries()) {
      const first = (k + missing) * objects;
      const own = tf.tidy(() => {
        const [, , height, width] = truth.shape;
        return {
          target: truth.slice([0, first, 0, 0], [1, objects, -1, -1]).reshape([objects, 1, height, width]) as tf.Tensor4D,
          present: visible.slice([first, 0], [objects, 1]) as tf.Tensor2D,
        };
      });
      const weights = seen.slice(first, first + objects).map((one) => one / total);
      const masks = await lossOf(candidates, candidateScores, own.target, weights);
      const score = await presenceLoss(objectScoreLogits, own.present, 1 / (found.length * objects));
      tf.dispose([own]);
      add({ total: masks.report.total + score.value, ...masks.report.terms, presence: score.value });
      gradients.push([candidates, masks.dMasks], [candidateScores, masks.dScores], [objectScoreLogits, score.gradient]);
    }
    const { total: loss = 0, ...terms } = sum;
    return { report: { total: loss, terms }, gradients };
  }
}

/** The loss of object scores, and its gradient. */
async function presenceLoss(logits: tf.Tensor, present: tf.Tensor, weight: number) {
  const shape = logits.shape;
  const truth = present.reshape(shape);
  const { value, grad } = tf.valueAndGrad((x) => tf.mul(objectScoreLoss(x as tf.Tensor, truth), weight) as tf.Scalar)(logits);
  const [own = 0] = await value.data<'float32'>();
  tf.dispose([truth, value]);
  return { value: own, gradient: grad };
}

/** A batch without anything to follow contributes nothing. */
const NOTHING: LossReport = { total: 0, terms: {} };
