import { maskArea, type RasterImage } from '../imaging/index.js';
import { DataError } from '../util/index.js';
import type { Exemplar } from './exemplars.js';

/**
 * Checks a support set.
 *
 * @param query - the image to segment with it.
 * @throws DataError when there is no exemplar, when one has a mask that is empty or of another size than its image, or when the
 *   query is one of them.
 */
export function checkExemplars(exemplars: readonly Exemplar[], query?: RasterImage): void {
  if (exemplars.length === 0) throw invalid('support set', 'it has no exemplar', 'Give at least one image with its mask');
  for (const [i, { image, mask }] of exemplars.entries()) {
    const where = `exemplar ${i + 1}`;
    if (mask.width !== image.width || mask.height !== image.height)
      throw invalid(
        where,
        `its mask is ${mask.width}x${mask.height}, its image ${image.width}x${image.height}`,
        'Give masks on the grid of their images',
      );
    if (maskArea(mask) === 0) throw invalid(where, 'its mask is empty', 'Give images that show the structure');
    if (query !== undefined && isSame(image, query))
      throw invalid(where, 'it is the image to segment, whose mask would be given away', 'Leave it out');
  }
}

function isSame(one: RasterImage, other: RasterImage): boolean {
  return (
    one === other || (one.width === other.width && one.height === other.height && Buffer.compare(one.data, other.data) === 0)
  );
}

function invalid(where: string, what: string, fix: string): DataError {
  return new DataError({ code: 'E_SUPPORT_INVALID', where, what, fix });
}
