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
  /** Images in each part. */
  train: count.default(400),
  val: count.default(60),
  test: count.default(60),
  /** Only these phrases; empty means all of the domain. */
  phrases: z.array(z.string().min(1)).default([]),
});

const setSchema = z.strictObject({
  /** A dataset of `npm run import-data -- --help`, or what one's own is called. */
  name: z.string().min(1),
  /** Its folder below `data.root`. Default: the one that has its name, in any spelling. */
  folder: z.string().min(1).optional(),
  /** How often each of its training images comes up in one pass. Default: 1. */
  repeat: count.optional(),
  /** Other names for its phrases, as in `benign: breast lesion`; several may become one. */
  phrases: z.record(z.string().min(1), z.string().min(1)).optional(),
  /** Phantoms in place of a folder: what `data.phantom` says of them. */
  phantom: phantomSchema.optional(),
});

/** Where a run's images come from and how they are divided. */
export const dataSchema = z.strictObject({
  /** How the folder is laid out. */
  format: z.enum(['coco', 'stu', 'folders', 'phantom']),
  /** The dataset's folder, or with `sets` the folder that holds theirs; unused for phantoms. */
  root: inputPath().optional(),
  /** Several datasets as one, each imported or as published; with `format: coco`. */
  sets: z.array(setSchema).default([]),
  /** What a set that is not there does. */
  missing: z.enum(['error', 'skip']).default('error'),
  /** `strict` keeps patients apart; `paper` divides as published, which leaks. */
  protocol: z.enum(['strict', 'paper']).default('strict'),
  /** Where sets as published are imported to. Default: the user's cache. */
  cache: z.string().min(1).optional(),
  /** What to look for in datasets that name nothing themselves. */
  prompt: z.string().min(1).optional(),
  /** How a dataset without parts of its own is divided. */
  split: splitSchema.prefault({}),
  /** Trains although pictures or patients of train are in val or test too. */
  allowOverlap: z.boolean().default(false),
  phantom: phantomSchema.prefault({}),
});

/** The data of a run; see {@link dataSchema}. Apart from the rest of a run's configuration, for threads that only read images. */
export type DataConfig = z.infer<typeof dataSchema>;
