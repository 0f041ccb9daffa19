import { stat } from 'node:fs/promises';
import { DataError } from '../../util/index.js';
import { isDicomName } from '../formats/address.js';
import { isBmp } from '../formats/bmp.js';
import { beginsAsDicom } from '../formats/dicom/begins.js';
import { readImageFile } from '../formats/image-file.js';
import { isVolumeName } from '../formats/several.js';
import { isTiff } from '../formats/tiff-pages.js';
import { decodeImage } from '../image.js';
import { animationClip } from './animation-clip.js';
import { type ClipSource, clipOf, type OpenedClip } from './clip-source.js';
import { dicomClip } from './dicom-clip.js';
import { folderClip, framesClip } from './frame-files.js';
import { tiffClip } from './tiff-clip.js';
import { isVideoName, videoClip } from './video-clip.js';

export type { OpenedClip } from './clip-source.js';
export { hasFfmpeg } from './ffmpeg.js';
export { holdsClip, isImageName } from './holds-clip.js';
export { writeMp4, writeWebp } from './write-clip.js';

/**
 * Opens a clip, whose frames are decoded on demand: a DICOM or TIFF file of several frames, an animated WebP or GIF, a folder of
 * numbered images, or, where ffmpeg is installed, an MP4, AVI, MOV, MKV or WebM. An image is a clip of one frame.
 *
 * @throws DataError naming the file, and the frame where one is at fault.
 * @example
 * import { openClip } from 'sonoground/imaging';
 *
 * const clip = await openClip('loop.webp');
 * for (let i = 0; i < clip.frames; i++) console.log(i, (await clip.frame(i)).data.length);
 * await clip.close();
 */
export async function openClip(path: string): Promise<OpenedClip> {
  return clipOf(await sourceOf(path));
}

/**
 * Opens image files as the frames of a clip, in the order of the last number in their names.
 *
 * @param name - of the clip, for messages.
 * @throws DataError when the names do not number the frames.
 */
export async function openFrames(name: string, files: readonly string[]): Promise<OpenedClip> {
  return clipOf(await framesClip(name, files));
}

async function sourceOf(path: string): Promise<ClipSource> {
  if ((await stat(path).catch(() => undefined))?.isDirectory()) return folderClip(path);
  if (isVideoName(path)) return videoClip(path);
  if (isVolumeName(path))
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where: path,
      what: 'it is a volume, whose slices are no clip',
      fix: 'Segment its slices one by one, or export it as a clip',
    });
  const bytes = await readImageFile(path);
  if (beginsAsDicom(bytes) || isDicomName(path)) return dicomClip(bytes, path);
  if (isTiff(bytes)) return tiffClip(bytes, path);
  if (isBmp(bytes)) return imageClip(path);
  return animationClip(bytes, path);
}

async function imageClip(file: string): Promise<ClipSource> {
  const image = await decodeImage(file);
  const { width, height } = image;
  const decode = async () => ({ first: 0, images: [image] });
  return { name: file, frames: 1, width, height, notices: [], address: () => file, decode };
}
