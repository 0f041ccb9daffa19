import type { Clip } from '../../src/imaging/index.js';
import { dicom } from './dicom.js';

/** A clip as a grey DICOM file of several frames: of each pixel, the first byte. */
export async function clipDicom(clip: Clip, seconds = 0.04): Promise<Buffer> {
  const frames: Uint8Array[] = [];
  for (let i = 0; i < clip.frames; i++) frames.push((await clip.frame(i)).data.filter((_, at) => at % 3 === 0));
  const more = { '00181063': { vr: 'DS', Value: [1000 * seconds] } };
  return dicom({ width: clip.width, height: clip.height, frames, more });
}
