import { z } from 'zod';
import { formerly, inputModel, inputPath } from '../config/index.js';
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
  /** A model directory of UniverSeg, or its published weights. Default: the shipped one. */
  universeg: inputModel().optional(),
  /** Folder of a LoRA adapter of the detector, applied while a masker is trained. */
  adapter: inputPath().optional(),
  /** Folder of a LoRA adapter of the masker, applied while a detector is trained. */
  maskerAdapter: inputPath().optional(),
  /** `random` trains from random weights, with the architecture of `config.json`. */
  start: z.enum(['pretrained', 'random']).default('pretrained'),
  /** Input size of the detector's images, in training and in later use. Default: as set in the model's folder. */
  imageSize: z.union([z.strictObject({ square: side }), z.strictObject({ shortest: side, longest: side })]).optional(),
});

/** PEFT's names in camel case, but for `rank`, `alpha` and `dropout`. */
const loraSchema = z.strictObject({
  /** A named set of targets. */
  preset: z.enum(Object.keys(loraPresets)).optional(),
  /** Default: the preset's. */
  rank: count.optional(),
  /** Updates are scaled by alpha / rank. */
  alpha: positive.optional(),
  /** Dropout on each adapter's input. Default: the preset's, which is 0. */
  dropout: fraction.optional(),
  /** Ordered path patterns of the linear layers that get an adapter. */
  targetModules: formerly({ key: 'targets' }, z.array(z.string().min(1)).default([])),
  /** Overrides of rank, alpha and dropout by path pattern; the first match applies. */
  rankPattern: z.record(z.string().min(1), count).default({}),
  alphaPattern: z.record(z.string().min(1), positive).default({}),
  dropoutPattern: z.record(z.string().min(1), fraction).default({}),
  /** Path patterns of modules trained in full and saved with the adapter. */
  modulesToSave: formerly({ key: 'trainFully' }, z.array(z.string().min(1)).default([])),
});

const groupSchema = z
  .strictObject({
    /** Pattern of parameter paths, as in lora.targetModules. */
    match: z.string().min(1),
    /** Peak learning rate of these parameters. */
    learningRate: z.number().nonnegative().optional(),
    /** Alternatively, a factor on train.learningRate. */
    lrScale: z.number().nonnegative().optional(),
    weightDecay: z.number().nonnegative().optional(),
  })
  .refine(
    ({ learningRate, lrScale }) => learningRate === undefined || lrScale === undefined,
    'give learningRate or lrScale, not both',
  );

const optimSettings = z.strictObject({
  epochs: count.default(50),
  /** Steps per epoch; absent: one pass over the data. */
  stepsPerEpoch: count.optional(),
  batchSize: count.default(4),
  /** Batches whose gradients are accumulated into one step. */
  accumulate: count.default(1),
  learningRate: positive.default(5e-4),
  schedule: z.enum(['constant', 'cosine', 'one-cycle']).default('cosine'),
  warmupSteps: z.int().nonnegative().default(20),
  weightDecay: z.number().nonnegative().default(1e-4),
  /** Path patterns of frozen parameters, with `*` and `**`. Not with lora, which freezes all other parameters itself. */
  freeze: z.array(z.string().min(1)).optional(),
  /** Parameter groups with their own rate or weight decay; the first matching pattern applies. */
  groups: z.array(groupSchema).default([]),
  /** Maximum global gradient norm; 0 disables clipping. */
  clipNorm: z.number().nonnegative().default(0.1),
  /** EMA decay; the averaged weights are evaluated and saved. 0 disables the EMA. */
  ema: fraction.default(0),
  /**
   * The value that selects the best weights: `val.loss`, or one of its terms, as in `val.giou`; also `train.…`; `val.dsc` of the
   * predicted masks (for a masker, given ground-truth boxes), or a detector's `val.boxIou`, with the thresholds of `eval`.
   */
  monitor: z
    .string()
    .regex(/^(train|val)\.\w+$/, 'expected val.loss, val.dsc, val.boxIou, or val. or train. and the name of a loss')
    .default('val.loss'),
  /** Whether small or large values are better. Default: large for DSC and IoU, small for losses. */
  monitorMode: z.enum(['min', 'max']).optional(),
  /** Epochs without improvement before training stops. */
  patience: count.default(20),
  /** `none`, `paper`, `ultrasound`, `strong`, or single augmentations. */
  augment: z.union([z.enum(['none', 'paper', 'ultrasound', 'strong']), augmentSchema]).default('none'),
  /** Threads that decode and augment; 0 uses the training thread. Default: one for two cores, at most four. */
  workers: z.int().min(0).max(64).optional(),
  /** Steps between checkpoints within an epoch; 0: only at its end. */
  checkpointEvery: z.int().nonnegative().default(0),
  /** Number of checkpoints to keep. */
  keepLast: count.default(2),
  /** Verify on single images, before training, that all trainable parameters receive a gradient. */
  preflight: z.boolean().default(true),
  /** Negative phrases: structures that an image does not show, added to its prompt, which is then shuffled, or in its place. */
  negativePhrases: z
    .strictObject({
      /** Fraction of images that get negative phrases. */
      share: fraction.default(0),
      /** Maximum number per image. */
      most: count.default(3),
      /** Fraction of these images whose prompt names negative phrases alone: nothing is to be found. */
      alone: fraction.default(0),
      /** Negative phrases besides those of the run's datasets. */
      others: z.array(z.string().min(1)).optional(),
      /** Lists of related phrases, never negatives of each other: a carotid artery is also a blood vessel. */
      related: z.array(z.array(z.string().min(1))).optional(),
    })
    .prefault({}),
  /** Rewords the datasets' phrases, using the synonyms and sentences of `configs/prompts`. Default: none. */
  wordings: z
    .strictObject({
      /** Fraction of images with reworded prompts, drawn again at every step. */
      share: fraction,
    })
    .optional(),
  /**
   * A fixed set evaluated before and after training, to detect forgetting: `phantoms`, a COCO folder, or `none`. Default:
   * phantoms for the shipped models, none for others.
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
  /** Number of the encoder's proposals matched to each object. */
  encoderMatches: count.default(1),
  /** Number of queries matched to each object per decoder layer: more learn faster where images show few objects. */
  decoderMatches: count.default(1),
  /** Score a matched query by the IoU of its box instead of 1. */
  iouTargets: z.boolean().default(false),
  /**
   * Weight of the class loss of all the encoder's cells, given the masks, in place of that of its matched proposals; 0 disables
   * it. It trains the first stage on every cell of an image rather than on a few.
   */
  cells: z.number().nonnegative().default(0),
});

const supportSchema = z
  .strictObject({
    /** Smallest number of exemplars of a step. */
    least: count.default(1),
    /** Largest number, which validation and testing use. */
    most: count.max(64).default(16),
  })
  .refine(({ least, most }) => least <= most, 'least must not be larger than most');

const evalSchema = z.strictObject({
  /** Lowest score at which a box counts. */
  threshold: formerly({ key: 'boxThreshold' }, fraction.default(0.3)),
  /** `all` boxes above the threshold, or the `best-per-phrase`. Phrases are evaluated one by one: there is no best per image. */
  select: formerly({ values: { best: 'best-per-phrase' } }, z.enum(['all', 'best-per-phrase']).default('all')),
  /**
   * The grid on which the paper's protocol compares masks: the `image`'s, or as published the `prediction`'s own, to which the
   * ground truth is then resized by nearest neighbour. The strict protocol always uses the image's.
   */
  grid: z.enum(['image', 'prediction']).default('image'),
  /** 0: one split. k: k-fold cross-validation over the whole set. */
  folds: z.int().nonnegative().default(0),
});

/** Configuration of a run. One YAML file is one reproducible run. */
export const runConfigSchema = z.strictObject({
  /** The model to train. Of detector and masker, the other one stays frozen. `memory` is the masker's, for clips. */
  task: z.enum(['detector', 'masker', 'memory', 'universeg']).default('detector'),
  run: runSchema,
  model: modelSchema.prefault({}),
  data: dataSchema,
  /** Absent: all parameters are trained. */
  lora: loraSchema.optional(),
  train: optimSchema.prefault({}),
  loss: lossSchema.prefault({}),
  /** Exemplars of each image, drawn from the training images; with `task: universeg`. Default: 1 to 16. */
  support: supportSchema.optional(),
  eval: evalSchema.prefault({}),
});

/** A run; see {@link runConfigSchema}. */
export type RunConfig = z.infer<typeof runConfigSchema>;
export type OptimConfig = RunConfig['train'];
