import { tf } from '../../backend/index.js';
import type { Sample } from '../../data/index.js';
import type { Size } from '../../imaging/index.js';
import type { DetectionCriterion, DetectionTarget } from '../../losses/index.js';
import type { GroundingDino, GroundingDinoInputs } from '../../models/grounding-dino/index.js';
import { inference, TrainingPasses, tensorsIn } from '../../nn/index.js';
import { collateText, type ImageProcessor } from '../../processing/index.js';
import { asData, type EncodedPrompt, type PromptTokenizer } from '../../prompts/index.js';
import { DataError, type Rng } from '../../util/index.js';
import { type NegativePhrases, withNegatives } from './negatives.js';
import type { LossReport, TrainStep, TrainTask } from './task.js';
import { type OtherWordings, withWordings } from './wordings.js';

export interface DetectorTaskOptions {
  readonly model: GroundingDino;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
  readonly criterion: DetectionCriterion;
  /** Negative phrases added to prompts in training. Default: none. */
  readonly negatives?: NegativePhrases;
  /** Alternative wordings of phrases in training. Default: none. */
  readonly wordings?: OtherWordings | undefined;
  /** Whether to compile steps to graphs; see {@link TrainingPasses}. Default: false. */
  readonly capture?: boolean;
  /** Writes the current weights. */
  readonly save: (dir: string) => Promise<void>;
}

/**
 * Steps pad prompts to a multiple of this. Each length needs its own graph, which takes seconds to trace; and TensorFlow computes the
 * last few numbers of a tensor, those that fill no whole register, by another exponential: with a multiple there are none.
 */
const TOKENS_A_STEP = 8;

/** Trains Grounding DINO to find the structures that its prompt names. */
export class DetectorTask implements TrainTask {
  readonly model: GroundingDino;
  readonly save: (dir: string) => Promise<void>;
  private readonly options: DetectorTaskOptions;
  private readonly passes: TrainingPasses;

  constructor(options: DetectorTaskOptions) {
    this.options = options;
    this.model = options.model;
    this.save = options.save;
    this.passes = new TrainingPasses(options.model, { capture: options.capture ?? false });
  }

  dispose(): void {
    this.passes.dispose();
    this.model.dispose();
  }

  async step(samples: readonly Sample[], rng: Rng): Promise<TrainStep> {
    const asked = this.askedOtherwise(samples, rng);
    return this.withBatch(asked, TOKENS_A_STEP, async (inputs, targets) => {
      const { model } = this;
      const { criterion } = this.options;
      const pass = await this.passes.forward(
        {
          variant: '',
          inputs: { ...inputs },
          forward: (context) => model.forward(inputs, context, { cells: criterion.scoresCells }),
        },
        rng,
      );
      try {
        const textMask = inputs.attentionMask as tf.Tensor2D;
        const { total, terms, gradients: atOutputs } = await criterion.evaluate(pass.outputs, textMask, targets);
        const gradients = pass.backward(atOutputs);
        tf.dispose(atOutputs.map(([, gradient]) => gradient));
        // The criterion divides by the number of objects.
        const normaliser = targets.reduce((sum, { tokens }) => sum + tokens.length, 0);
        return { total, terms, gradients, normaliser };
      } finally {
        pass.dispose();
      }
    });
  }

  async loss(samples: readonly Sample[]): Promise<LossReport> {
    return this.withBatch(samples, 1, async (inputs, targets) => {
      const { criterion } = this.options;
      const outputs = this.model.forward(inputs, inference, { cells: criterion.scoresCells });
      try {
        const textMask = inputs.attentionMask as tf.Tensor2D;
        return await criterion.evaluate(outputs, textMask, targets, { gradients: false });
      } finally {
        tf.dispose(tensorsIn(outputs));
      }
    });
  }

  /** Adds negatives and other wordings to the samples. Disabled options draw no random numbers. */
  private askedOtherwise(samples: readonly Sample[], rng: Rng): readonly Sample[] {
    const { negatives, wordings, tokenizer } = this.options;
    const fits = (phrases: readonly string[]) => tokenizer.fits(phrases);
    let asked = samples;
    if (negatives !== undefined && negatives.share > 0) {
      const own = rng.fork();
      asked = asked.map((sample) => withNegatives(sample, negatives, own, fits));
    }
    if (wordings !== undefined && wordings.share > 0) {
      const own = rng.fork();
      asked = asked.map((sample) => withWordings(sample, wordings, own, fits));
    }
    return asked;
  }

  /** Creates the tensors of a batch, with prompts padded to a multiple of some number of tokens, and frees them after `use`. */
  private async withBatch<T>(
    samples: readonly Sample[],
    multiple: number,
    use: (inputs: GroundingDinoInputs, targets: DetectionTarget[]) => Promise<T>,
  ): Promise<T> {
    const prompts = samples.map(({ phrases, file, id }) => asData(file ?? id, () => this.options.tokenizer.encode(phrases)));
    const { pixelValues, pixelMask, sizes } = this.options.imageProcessor.process(samples.map((sample) => sample.image));
    const [, height, width] = pixelValues.shape;
    const targets = samples.map((sample, i): DetectionTarget => {
      const { width: w, height: h } = sizes[i] as Size;
      return { ...targetOf(sample, prompts[i] as EncodedPrompt), extent: [w / width, h / height] };
    });
    const longest = Math.max(...prompts.map(({ inputIds }) => inputIds.length));
    const length = Math.min(Math.ceil(longest / multiple) * multiple, this.model.config.maxTextLen);
    const inputs: GroundingDinoInputs = { pixelValues, pixelMask, ...collateText(prompts, length) };
    try {
      return await use(inputs, targets);
    } finally {
      tf.dispose({ ...inputs });
    }
  }
}

/** The boxes of a sample and their token spans. */
function targetOf(sample: Sample, prompt: EncodedPrompt): DetectionTarget {
  const { width, height } = sample.image;
  const tokens = sample.objects.map(({ phrase }) => {
    const named = prompt.phrases.find((candidate) => candidate.phrase === phrase);
    if (named === undefined) {
      const what = `an object is called "${phrase}", which is not among the phrases of its prompt "${prompt.text}"`;
      throw new DataError({ code: 'E_ANNOTATIONS_INVALID', where: sample.file ?? sample.id, what });
    }
    return named.tokens;
  });
  const boxesCxcywh = sample.objects.map(({ boxXyxyPx: [x0, y0, x1, y1] }) => {
    return [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height] as const;
  });
  return { boxesCxcywh, tokens, masks: sample.objects.map(({ mask }) => mask) };
}
