import { z } from 'zod';
import { bounds } from '../common/index.js';

/** Most levels of resolution: at 12, the coarsest map of the largest image is one pixel. */
const MOST_LEVELS = 12;

/** One number for both layers of a block, or one for each. */
const block = z.union([bounds.width.transform((width) => [width, width] as const), z.tuple([bounds.width, bounds.width])]);

const schema = z
  .object({
    encoder_blocks: z.array(block).min(2).max(MOST_LEVELS),
    decoder_blocks: z.array(block).max(MOST_LEVELS).optional(),
    image_size: bounds.imageSide.default(128),
  })
  .superRefine(({ encoder_blocks: encoder, decoder_blocks: decoder, image_size: side }, context) => {
    const levels = encoder.length - 1;
    const complain = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if (decoder !== undefined && decoder.length !== levels)
      complain('decoder_blocks', `expected ${levels}, one fewer than encoder_blocks, got ${decoder.length}`);
    if (side % 2 ** levels !== 0)
      complain('image_size', `expected a multiple of ${2 ** levels}, as ${levels} levels halve it, got ${side}`);
  });

/** Channels of a cross block: of the interaction of target and support, and of its results. */
export type BlockWidths = readonly [cross: number, conv: number];

/** Configuration of a UniverSeg. */
export interface UniverSegConfig {
  /** From fine to coarse. */
  readonly encoderBlocks: readonly BlockWidths[];
  /** From coarse to fine: one fewer. */
  readonly decoderBlocks: readonly BlockWidths[];
  /** Side length of the square input images, in pixels. The weights do not depend on it. */
  readonly imageSize: number;
}

/**
 * Parses a `config.json` of model type `universeg`. Default: decoder blocks as wide as the encoder's, images of 128x128.
 *
 * @throws ZodError naming every field that is invalid or inconsistent with another.
 */
export function parseUniverSegConfig(json: unknown): UniverSegConfig {
  const { encoder_blocks: encoder, decoder_blocks: decoder, image_size: imageSize } = schema.parse(json);
  return { encoderBlocks: encoder, decoderBlocks: decoder ?? encoder.slice(0, -1).reverse(), imageSize };
}

/** The `config.json` of a model: the inverse of {@link parseUniverSegConfig}. */
export function universegToJson({ encoderBlocks, decoderBlocks, imageSize }: UniverSegConfig): Record<string, unknown> {
  return { model_type: 'universeg', encoder_blocks: encoderBlocks, decoder_blocks: decoderBlocks, image_size: imageSize };
}
