import { drawOverlay, maskToPng, type RasterImage } from '../../imaging/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { type MeasuredSegment, overlayItem } from './measured-segment.js';
import { maskFile, overlayFile, removeOutputs } from './outputs.js';

/** Writes all of an image's files, or none. */
export async function writeOutputs(
  out: string,
  id: string,
  image: RasterImage,
  found: readonly MeasuredSegment[],
  phrases: readonly string[],
): Promise<void> {
  // Concurrently: the disk is the bottleneck.
  const writes = [
    ...found.map(async ({ segment: { mask } }, k) => mask && writeFileAtomic(maskFile(out, id, k), await maskToPng(mask))),
    drawOverlay(image, found.map(overlayItem), phrases).then((overlay) => writeFileAtomic(overlayFile(out, id), overlay)),
  ];
  const failed = (await Promise.allSettled(writes)).find((write) => write.status === 'rejected');
  if (failed === undefined) return;
  await removeOutputs(out, id, found.length);
  throw failed.reason;
}
