import { type CheckpointShapes, countOf, sizeReader, unclearShapes } from '../common/index.js';

const unclear = unclearShapes('UniverSeg');

/**
 * The naming of the published weights, which this project uses too. They come without `config.json`, and are recognised by
 * their first tensor.
 */
export const universegAuthorsKeys = {
  name: "the authors' naming of UniverSeg",
  sign: 'enc_blocks.0.cross.cross_conv.weight',
  renames: [],
  fused: [],
} as const;

/**
 * Derives the `config.json` of published weights, which have none, from their shapes. They were trained on images of 128x128.
 *
 * @throws ConfigError naming the missing tensor.
 */
export function universegConfigFromShapes(shapes: CheckpointShapes): Record<string, unknown> {
  const size = sizeReader(shapes, unclear);
  const widths = (list: string) =>
    Array.from({ length: countOf(shapes, list) }, (_, i) => [
      size(`${list}.${i}.cross.cross_conv.weight`),
      size(`${list}.${i}.target.vmapped.conv.weight`),
    ]);
  return {
    model_type: 'universeg',
    encoder_blocks: widths('enc_blocks'),
    decoder_blocks: widths('dec_blocks'),
    image_size: 128,
  };
}
