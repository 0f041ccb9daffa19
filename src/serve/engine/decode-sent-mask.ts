import { type BinaryMask, type CocoRle, decodeRle, type Size } from '../../imaging/index.js';
import { DataError } from '../../util/index.js';

/**
 * Decodes a mask that a client has sent.
 *
 * @param image - whose grid it should have.
 * @param where - names it in errors.
 * @throws DataError for a mask of another size, and for damaged run lengths.
 */
export function decodeSentMask({ size: [height, width], counts }: CocoRle, image: Size, where: string): BinaryMask {
  if (width !== image.width || height !== image.height) throw maskSizeError(where, { width, height }, image);
  try {
    return decodeRle(counts, width, height);
  } catch (cause) {
    const what = `its mask is damaged: ${(cause as Error).message}`;
    throw new DataError({ code: 'E_MASK_VALUE', where, what, fix: "Send COCO's compressed RLE", cause });
  }
}

export function maskSizeError(where: string, mask: Size, image: Size): DataError {
  return new DataError({
    code: 'E_MASK_SIZE',
    where,
    what: `its mask is ${mask.width}x${mask.height}, its image ${image.width}x${image.height}`,
    fix: 'Send a mask on the grid of its image',
  });
}
