import { tf } from '../../backend/index.js';
import type { Sample, SampleObject } from '../../data/index.js';
import type { Sam2 } from '../../models/sam2/index.js';
import { type ForwardContext, inference, type PassFunction, TrainingPasses } from '../../nn/index.js';
import { type ImageProcessor, scaleBoxes } from '../../processing/index.js';
import { Rng } from '../../util/index.js';
import { jitter } from './box-jitter.js';
import { lossOf, truthTensor } from './mask-loss.js';
import type { LossReport, TrainStep, TrainTask } from './task.js';

/** Objects trained per image and step. Images with fewer objects repeat some, each time with another box. */
const PROMPTS_PER_IMAGE = 3;

/** Mask logits are compared with the ground truth at this multiple of their own resolution, where boundaries are finer. */
const LOSS_SCALE = 2;

export interface MaskerTaskOptions {
  readonly model: Sam2;
  readonly imageProcessor: ImageProcessor;
  /** Writes the current weights. */
  readonly save: (dir: string) => Promise<void>;
  /** Whether to compile steps to graphs; see {@link TrainingPasses}. Default: false. */
  readonly capture?: boolean;
}

/** Mask logits [B, N, M, h, w] and predicted IoUs [B, N, M]. */
type Masks = { readonly predMasks: tf.Tensor5D; readonly iouScores: tf.Tensor3D };

interface Prompts {
  /** [B][N] boxes in pixels of each image. */
  readonly boxes: (readonly [number, number, number, number])[][];
  readonly objects: SampleObject[][];
}

/** Trains SAM 2 to predict masks from imprecise boxes. */
export class MaskerTask implements TrainTask {
  readonly model: Sam2;
  readonly save: (dir: string) => Promise<void>;
  private readonly imageProcessor: ImageProcessor;
  private readonly passes: TrainingPasses;

  constructor({ model, imageProcessor, save, capture = false }: MaskerTaskOptions) {
    this.model = model;
    this.imageProcessor = imageProcessor;
    this.save = save;
    this.passes = new TrainingPasses(model, { capture });
  }

  dispose(): void {
    this.passes.dispose();
    this.model.dispose();
  }

  async step(samples: readonly Sample[], rng: Rng): Promise<TrainStep> {
    const normaliser = samples.filter(showsSomething).length;
    if (normaliser === 0) return { ...NOTHING, gradients: new Map(), normaliser };
    const own = rng.fork();
    const multimask = rng.chance(0.5);
    return this.withBatch(samples, rng, multimask, async (predictMasks, truthOf) => {
      const pass = await this.passes.forward(predictMasks, own);
      const { predMasks: masks, iouScores: scores } = pass.outputs;
      const truth = truthOf(masks);
      try {
        const { report, dMasks, dScores } = await lossOf(masks, scores, truth);
        const gradients = pass.backward([
          [masks, dMasks],
          [scores, dScores],
        ]);
        tf.dispose([dMasks, dScores]);
        return { ...report, gradients, normaliser };
      } finally {
        truth.dispose();
        pass.dispose();
      }
    });
  }

  /** Images without objects are skipped; the others have equal weight. */
  async loss(samples: readonly Sample[]): Promise<LossReport> {
    if (!samples.some(showsSomething)) return NOTHING;
    return this.withBatch(samples, Rng.seeded(0), false, async ({ forward }, truthOf) => {
      const outputs = forward(inference);
      const truth = truthOf(outputs.predMasks);
      try {
        const { report, dMasks, dScores } = await lossOf(outputs.predMasks, outputs.iouScores, truth);
        tf.dispose([dMasks, dScores]);
        return report;
      } finally {
        tf.dispose([outputs, truth]);
      }
    });
  }

  /** Draws prompts, creates the tensors of a batch, and frees them after `use` is done with the masks and their ground truth. */
  private async withBatch<T>(
    samples: readonly Sample[],
    rng: Rng,
    multimask: boolean,
    use: (predictMasks: PassFunction<Masks>, truthOf: (masks: tf.Tensor5D) => tf.Tensor4D) => Promise<T>,
  ): Promise<T> {
    const shown = samples.filter(showsSomething);
    const prompts = drawPrompts(shown, rng);
    const { pixelValues, pixelMask } = this.imageProcessor.process(shown.map(({ image }) => image));
    const [, height, width] = pixelValues.shape;
    const boxes = tf.tensor3d(
      shown.map(({ image }, b) => scaleBoxes(prompts.boxes[b] ?? [], image, { height, width }).map((box) => [...box])),
    );
    const forward = (context: ForwardContext): Masks =>
      tf.tidy(() => {
        const features = this.model.encodeImage(pixelValues, context);
        const { predMasks, iouScores } = this.model.decodeMasks({ features, boxes, multimask }, context);
        return { predMasks, iouScores };
      });
    const truthOf = (masks: tf.Tensor5D) => {
      const [h = 0, w = 0] = masks.shape.slice(-2);
      const truth = prompts.objects.map((row) => row.map(({ mask }) => mask));
      return truthTensor(truth, { height: h * LOSS_SCALE, width: w * LOSS_SCALE });
    };
    try {
      return await use({ variant: multimask ? 'several masks' : 'one mask', inputs: { pixelValues, boxes }, forward }, truthOf);
    } finally {
      tf.dispose([pixelValues, pixelMask, boxes]);
    }
  }
}

/** An image without objects has no prompts, and contributes nothing to the masker's loss. */
const NOTHING: LossReport = { total: 0, terms: {} };

function showsSomething({ objects }: Sample): boolean {
  return objects.length > 0;
}

function drawPrompts(samples: readonly Sample[], rng: Rng): Prompts {
  const objects = samples.map(({ objects }) => {
    const order = rng.shuffle(objects);
    return Array.from({ length: PROMPTS_PER_IMAGE }, (_, k) => order[k % order.length] as SampleObject);
  });
  const boxes = objects.map((row, b) => row.map(({ boxXyxyPx }) => jitter(boxXyxyPx, (samples[b] as Sample).image, rng)));
  return { boxes, objects };
}
