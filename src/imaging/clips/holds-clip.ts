import { extname } from 'node:path';
import sharp from 'sharp';
import { listImages } from '../formats/several.js';
import { isVideoName } from './video-clip.js';

const IMAGES = /\.(png|jpe?g|bmp|tiff?|webp|dcm|dicom|ima)$/i;
const ANIMATIONS = ['.webp', '.gif'];

/** Whether a file is an image that may be a frame, by its name. */
export function isImageName(file: string): boolean {
  return IMAGES.test(file);
}

/** Whether a file holds several frames; of videos, only the name is looked at. A volume is no clip. */
export async function holdsClip(file: string): Promise<boolean> {
  if (isVideoName(file)) return true;
  if (ANIMATIONS.includes(extname(file).toLowerCase()))
    return ((await sharp(file, { limitInputPixels: false }).metadata()).pages ?? 1) > 1;
  if (/\.nii(\.gz)?$/i.test(file)) return false;
  return (await listImages(file)).length > 1;
}
