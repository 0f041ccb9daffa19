import { z } from 'zod';
import { inputModel, inputPath } from '../config/index.js';
import { loraPresets } from '../lora/index.js';
import { shippedModels } from '../pretrained/index.js';
import { LARGEST_SIDE } from '../processing/index.js';
import { augmentSchema } from './augment-schema.js';
import { dataSchema } from './data-config.js';
import { modeOf } from './monitor.js';

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().positive();
const side = count.max(LARGEST_SIDE);

const runSchema = z.strictObject({
  /** Folder for checkpoints, logs, metrics and reports. */
  dir: z.string().min(1),
  /** Seeds weights, batches, augmentation and phantoms. */
  seed: z.int().default(42),
});

const modelSchema = z.strictObject({
  /** A Hugging Face model directory of Grounding DINO. */
  detector: inputModel().default(shippedModels.detector),
  /** A Hugging Face model directory of SAM 2. */
  masker: inputModel().default(shippedModels.masker),
  /** Folder of a LoRA adapter of the detector, with which it is used beside a masker that is trained. */
  adapter: inputPath().optional(),
  /** The same of the masker. */
  maskerAdapter: inputPath().optional(),
  /** `random` trains the model of `config.json` from nothing. */
  start: z.enum(['pretrained', 'random']).default('pretrained'),
  /**
   * To what size the detector's images are brought, in training and wherever the result is used. Default: what the model's
   * folder says.
   */
  imageSize: z.union([z.strictObject({ square: side }), z.strictObject({ shortest: side, longest: side })]).optional(),
});

const loraSchema = z.strictObject({
  /** A named set of targets. */
  preset: z.enum(Object.keys(loraPresets)).optional(),
  /** Default: the preset's. */
  rank: count.optional(),
  /** The update is scaled by alpha / rank. */
  alpha: positive.optional(),
  /** Share of each adapter's input that is dropped in training. Default: the preset's, which is 0. */
  dropout: fraction.optional(),
  /** Ordered path patterns of the linear layers that get an adapter. */
  targets: z.array(z.string().min(1)).default([]),
  /** Other ranks, alphas and dropout by path pattern, the first that fits holding. */
  rankPattern: z.record(z.string().min(1), count).default({}),
  alphaPattern: z.record(z.string().min(1), positive).default({}),
  dropoutPattern: z.record(z.string().min(1), fraction).default({}),
  /** Path patterns of modules whose parameters are trained whole: PEFT's `modules_to_save`. */
  trainFully: z.array(z.string().min(1)).default([]),
});

const groupSchema = z
  .strictObject({
    /** Pattern of parameter paths, as in lora.targets. */
    match: z.string().min(1),
    /** The highest rate of these parameters. */
    learningRate: z.number().nonnegative().optional(),
    /** The same as a factor on train.learningRate. */
    lrScale: z.number().nonnegative().optional(),
    weightDecay: z.number().nonnegative().optional(),
  })
  .refine(
    ({ learningRate, lrScale }) => learningRate === undefined || lrScale === undefined,
    'give learningRate or lrScale, not both',
  );

const optimSettings = z.strictObject({
  epochs: count.default(50),
  /** Steps an epoch has; absent: one pass over the data. */
  stepsPerEpoch: count.optional(),
  batchSize: count.default(4),
  /** Batches whose gradients make one step. */
  accumulate: count.default(1),
  learningRate: positive.default(5e-4),
  schedule: z.enum(['constant', 'cosine', 'one-cycle']).default('cosine'),
  warmupSteps: z.int().nonnegative().default(20),
  weightDecay: z.number().nonnegative().default(1e-4),
  /** Path patterns of parameters that stay as they are, which `*` and `**` cover. Without lora, which freezes all others itself. */
  freeze: z.array(z.string().min(1)).optional(),
  /** Parameters with a rate or decay of their own: the first pattern that fits a path decides. */
  groups: z.array(groupSchema).default([]),
  /** Largest global norm of the gradient; 0 leaves it as it is. */
  clipNorm: z.number().nonnegative().default(0.1),
  /** Decay of the averaged weights that are evaluated and saved; 0 switches averaging off. */
  ema: fraction.default(0),
  /**
   * Which number decides what is best: `val.loss`, or one part of it, as in `val.giou`; also `train.…`; `val.dsc` of the masks that
   * answer the prompts (a masker: the true boxes), or a detector's `val.boxIou`, with the thresholds of `eval`.
   */
  monitor: z
    .string()
    .regex(/^(train|val)\.\w+$/, 'expected val.loss, val.dsc, val.boxIou, or val. or train. and the name of a loss')
    .default('val.loss'),
  /** Whether a small or a large value of it is good. Default: large for DSC and IoU, small for losses. */
  monitorMode: z.enum(['min', 'max']).optional(),
  /** Epochs without a better value before training stops. */
  patience: count.default(20),
  /** `none`, `paper`, `ultrasound`, `strong`, or augmentations one by one. */
  augment: z.union([z.enum(['none', 'paper', 'ultrasound', 'strong']), augmentSchema]).default('none'),
  /** Threads that decode and augment; 0: the training thread does. Default: one for two cores, at most four. */
  workers: z.int().min(0).max(64).optional(),
  /** Steps between two checkpoints within an epoch; 0: only at its end. */
  checkpointEvery: z.int().nonnegative().default(0),
  /** Checkpoints that are kept. */
  keepLast: count.default(2),
  /** Prove on single images, before training, that everything to be trained gets a gradient. */
  preflight: z.boolean().default(true),
  /** Phrases of things that an image does not show, added to its prompt, which is then in a shuffled order. */
  negativePhrases: z
    .strictObject({
      /** Share of images that get some. */
      share: fraction.default(0),
      /** How many an image gets at most. */
      most: count.default(3),
      /** Lists of phrases of which none is a negative of another: one thing may be both, as a carotid artery is a blood vessel. */
      related: z.array(z.array(z.string().min(1))).optional(),
    })
    .prefault({}),
  /** Other words for the datasets' phrases, by the synonyms and sentences of `configs/prompts`. Default: none. */
  wordings: z
    .strictObject({
      /** Share of images that are asked for in other words, drawn anew at every step. */
      share: fraction,
    })
    .optional(),
  /**
   * A fixed set on which the model is tried before and after, so that lost ability shows: `phantoms`, a COCO folder, or
   * `none`. Default: phantoms for the shipped models, none for others.
   */
  probe: z.union([z.enum(['phantoms', 'none']), z.strictObject({ coco: inputPath() })]).optional(),
});

const optimSchema = optimSettings.overwrite((optim) => ({ ...optim, monitorMode: optim.monitorMode ?? modeOf(optim.monitor) }));

const lossSchema = z.strictObject({
  class: z.number().nonnegative().default(1),
  bbox: z.number().nonnegative().default(10),
  giou: z.number().nonnegative().default(1),
  /** Weight of the losses of earlier decoder layers. */
  auxiliary: z.number().nonnegative().default(1),
  /** Weight of the loss of the encoder's proposals. */
  encoder: z.number().nonnegative().default(1),
  /** How many of the encoder's proposals are matched to each object. */
  encoderMatches: count.default(1),
  /** How many queries of each decoder layer are: more learn faster where images show few objects. */
  decoderMatches: count.default(1),
});

const evalSchema = z.strictObject({
  /** Score from which a box counts. */
  boxThreshold: fraction.default(0.3),
  /** `best` keeps one box a phrase, `all` every box above the threshold. */
  select: z.enum(['best', 'all']).default('all'),
  /** 0: one split. k: k-fold cross-validation over the whole set. */
  folds: z.int().nonnegative().default(0),
});

/** A run: everything that `npm run train` needs to know. One YAML file is one reproducible run. */
export const runConfigSchema = z.strictObject({
  /** Which of the two models is trained. The other one stays as it is. */
  task: z.enum(['detector', 'masker']).default('detector'),
  run: runSchema,
  model: modelSchema.prefault({}),
  data: dataSchema,
  /** Absent: all parameters are trained. */
  lora: loraSchema.optional(),
  train: optimSchema.prefault({}),
  loss: lossSchema.prefault({}),
  eval: evalSchema.prefault({}),
});

/** A run; see {@link runConfigSchema}. */
export type RunConfig = z.infer<typeof runConfigSchema>;
export type OptimConfig = RunConfig['train'];
