import { z } from 'zod';

/** Maximum number of blocks of a backbone, over all its stages. */
const MAX_BLOCKS = 512;

/** Values out of bounds are not compared with other fields, some of which are derived from them. */
const STOP = { abort: true } as const;

/** A non-negative integer. */
export const natural = z.int(STOP).nonnegative(STOP).max(4096, STOP);

/**
 * Upper bounds of values in a `config.json`. Published models are far below them; larger values are mistakes or attacks, rejected
 * before anything is allocated.
 */
const atMost = (most: number) => z.int(STOP).positive(STOP).max(most, STOP);

/** Channels of a layer. */
export const width = atMost(65_536);
/** Layers of one kind, or blocks of a stage. */
export const layers = atMost(256);
/** Number of attention heads. */
export const heads = atMost(1024);
/** Side length of an image, in pixels. */
export const imageSide = atMost(4096);
/** Side length of a patch or kernel, in pixels. */
export const patchSide = atMost(4096);
/** Side length of an attention window, in patches. */
export const windowSide = atMost(256);
/** Vocabulary size. */
export const vocabulary = atMost(2_000_000);
/** Tokens of a text. */
export const textLength = atMost(16_384);
/** Number of simultaneous queries, points or masks. */
export const queries = atMost(16_384);
/** Expansion ratio of an MLP. */
export const ratio = z.number().positive(STOP).max(64, STOP);
/** A list of stages or layers. */
export const listOf = <T extends z.ZodType>(entry: T) => z.array(entry).max(256, STOP);

/** The blocks of each stage. */
export const blocks = z
  .array(layers)
  .min(1)
  .max(16, STOP)
  .refine((stages) => stages.reduce((sum, count) => sum + count, 0) <= MAX_BLOCKS, {
    error: `Too big: expected ${MAX_BLOCKS} blocks in all at most`,
    abort: true,
  });
