import { z } from 'zod';
import { inputPath } from '../config/index.js';

const fraction = z.number().min(0).max(1);
const count = z.int().positive();

const splitSchema = z.strictObject({
  train: fraction.default(0.7),
  val: fraction.default(0.2),
  test: fraction.default(0.1),
  seed: z.int().default(42),
});

const phantomSchema = z.strictObject({
  domain: z.string().default('standard'),
  size: z.strictObject({ width: count.default(128), height: count.default(128) }).prefault({}),
  /** Images in each split. */
  train: count.default(400),
  val: count.default(60),
  test: count.default(60),
  /** Only these phrases; empty for all phrases of the domain. */
  phrases: z.array(z.string().min(1)).default([]),
});

const setSchema = z.strictObject({
  /** A dataset of `npm run import-data -- --help`, or the name of your own. */
  name: z.string().min(1),
  /** Its folder below `data.root`. Default: the folder of that name, however spelled. */
  folder: z.string().min(1).optional(),
  /** How often each training image appears in one pass. Default: 1. */
  repeat: count.optional(),
  /**
   * Fraction of the training images into which an object of another one is pasted, for structures that can lie anywhere: lesions,
   * not vessels. With `repeat`, each repetition receives another one. Default: 0.
   */
  paste: fraction.optional(),
  /**
   * Fraction of the training images that are cut to a part without any object, where a dataset has few images that show nothing: a
   * detector learns what surrounds an object. Default: 0.
   */
  background: fraction.optional(),
  /** Renames phrases, as in `benign: breast lesion`; several may be merged into one. */
  phrases: z.record(z.string().min(1), z.string().min(1)).optional(),
  /** Phantoms instead of a folder: overrides of `data.phantom`. */
  phantom: phantomSchema.optional(),
});

/** Clips, which `task: memory` trains on. */
const clipsSchema = z.strictObject({
  /** Frames of each clip. */
  frames: z.int().min(2).max(32).default(8),
});

/** Where a run's images come from and how they are split. */
export const dataSchema = z.strictObject({
  /** Layout of the folder. */
  format: z.enum(['coco', 'stu', 'folders', 'phantom']),
  /** The dataset's folder, or with `sets` their parent folder; unused for phantoms. */
  root: inputPath().optional(),
  /** Several datasets combined, each imported or as published; with `format: coco`. */
  sets: z.array(setSchema).default([]),
  /** What to do about missing sets. */
  missing: z.enum(['error', 'skip']).default('error'),
  /** `strict` keeps patients apart; `paper` splits as published, which leaks patients. */
  protocol: z.enum(['strict', 'paper']).default('strict'),
  /** Where published sets are imported to. Default: the user's cache. */
  cache: z.string().min(1).optional(),
  /** Prompt for datasets without phrases of their own. */
  prompt: z.string().min(1).optional(),
  /** How to split a dataset without predefined splits. */
  split: splitSchema.prefault({}),
  /** Train even if training images or patients also occur in validation or test. */
  allowOverlap: z.boolean().default(false),
  phantom: phantomSchema.prefault({}),
  /**
   * Samples are clips: of phantoms that move, of the sequences of a dataset (images of one group, named alike but for a number), and
   * of single images that are moved. For `task: memory`. Default: single images.
   */
  clips: clipsSchema.optional(),
});

/** The data of a run; see {@link dataSchema}. Apart from the rest of a run's configuration, for threads that only read images. */
export type DataConfig = z.infer<typeof dataSchema>;
