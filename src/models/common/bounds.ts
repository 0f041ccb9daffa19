import { z } from 'zod';

/** Most blocks of a backbone, over all its stages. */
const MAX_BLOCKS = 512;

/** What is out of bounds is not compared with other fields, some of which are made of it. */
const STOP = { abort: true } as const;

/** A whole number from 0 on. */
export const natural = z.int(STOP).nonnegative(STOP).max(4096, STOP);

/**
 * Bounds of what a `config.json` may ask for. Published models lie far below them, and what lies above is a mistake or an attack:
 * it is refused before anything is made.
 */
const atMost = (most: number) => z.int(STOP).positive(STOP).max(most, STOP);

/** Channels of a layer. */
export const width = atMost(65_536);
/** Layers of one kind, or blocks of a stage. */
export const layers = atMost(256);
/** Attention heads. */
export const heads = atMost(1024);
/** Side of an image, in pixels. */
export const imageSide = atMost(4096);
/** Side of a patch or of a kernel, in pixels. */
export const patchSide = atMost(4096);
/** Side of a window of attention, in patches. */
export const windowSide = atMost(256);
/** Pieces of a vocabulary. */
export const vocabulary = atMost(2_000_000);
/** Tokens of a text. */
export const textLength = atMost(16_384);
/** What a model asks about at once: queries, points, masks. */
export const queries = atMost(16_384);
/** How many times wider a hidden layer is. */
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
