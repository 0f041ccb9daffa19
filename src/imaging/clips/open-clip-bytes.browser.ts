import { DataError } from '../../util/index.js';
import { isDicomName } from '../formats/address.js';
import { beginsAsDicom } from '../formats/dicom/begins.js';
import type { ClipSource } from './clip-source.js';
import { dicomClip } from './dicom-clip.js';
import { openAnimation } from './image-decoder.browser.js';
import { animationType, CLIP, withinLimits } from './sent-clip.js';

/** Browser counterpart of `open-clip-bytes.ts`: DICOM, and animations where the browser decodes their frames; neither TIFF nor videos. */
export const openClipBytes: typeof import('./open-clip-bytes.js').openClipBytes = async (bytes, limits, name) => {
  const source = await sourceOf(bytes, limits.unpackedBytes, name);
  return withinLimits(source, limits);
};

async function sourceOf(bytes: Uint8Array, unpackedBytes: number, name: string): Promise<ClipSource> {
  if (beginsAsDicom(bytes) || isDicomName(name)) return dicomClip(bytes, CLIP, unpackedBytes);
  const type = animationType(bytes);
  if (type !== undefined) return openAnimation(bytes, type);
  throw new DataError({
    code: 'E_IMAGE_UNREADABLE',
    where: CLIP,
    what: 'it cannot be read as a clip in a browser',
    fix: 'Choose a DICOM file of several frames, or an animated WebP or GIF',
  });
}
