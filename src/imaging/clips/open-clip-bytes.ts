import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DataError } from '../../util/index.js';
import { isDicomName } from '../formats/address.js';
import { beginsAsDicom } from '../formats/dicom/begins.js';
import { isTiff } from '../formats/tiff-pages.js';
import { animationClip } from './animation-clip.js';
import type { ClipSource, OpenedClip } from './clip-source.js';
import { dicomClip } from './dicom-clip.js';
import { animationType, CLIP, type ClipLimits, withinLimits } from './sent-clip.js';
import { tiffClip } from './tiff-clip.js';
import { isVideoName, videoClip } from './video-clip.js';

/**
 * Opens a clip in memory: DICOM or TIFF of several frames, animated WebP or GIF, or a video. Only a video is
 * written to a file, since ffmpeg reads one, in the folder that the limits name, and removed when the clip is closed.
 *
 * @param name - the file's name: videos and old DICOM files are recognised by extension. Errors call the clip "clip".
 * @throws DataError for other files, damaged ones, and those beyond the limits.
 */
export async function openClipBytes(sent: Uint8Array, limits: ClipLimits, name: string): Promise<OpenedClip> {
  const bytes = Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
  const source = await sourceOf(bytes, limits, name);
  return withinLimits(source, limits);
}

async function sourceOf(bytes: Buffer, limits: ClipLimits, name: string): Promise<ClipSource> {
  if (isVideoName(name)) return sentVideo(bytes, limits, extname(name).toLowerCase());
  if (beginsAsDicom(bytes) || isDicomName(name)) return dicomClip(bytes, CLIP, limits.unpackedBytes);
  if (isTiff(bytes)) return tiffClip(bytes, CLIP);
  // The library would also read drawings and documents, whose stated size is arbitrary.
  if (animationType(bytes) !== undefined) return animationClip(bytes, CLIP);
  throw new DataError({
    code: 'E_IMAGE_UNREADABLE',
    where: CLIP,
    what: 'it cannot be read as a clip',
    fix: 'Send a DICOM or TIFF file of several frames, an animated WebP or GIF, or, where ffmpeg is installed, a video',
  });
}

async function sentVideo(bytes: Buffer, { scratch }: ClipLimits, extension: string): Promise<ClipSource> {
  if (scratch === undefined)
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where: CLIP,
      what: 'there is no folder for videos here, which ffmpeg reads from files',
      fix: 'Export the clip as DICOM, TIFF or animated WebP',
    });
  const file = join(scratch, `${randomBytes(8).toString('hex')}${extension}`);
  await writeFile(file, bytes, { mode: 0o600, flag: 'wx' });
  try {
    const video = await videoClip(file);
    const close = async () => {
      await video.close?.();
      await rm(file, { force: true });
    };
    return { ...video, name: CLIP, address: (index) => `${CLIP}#${index}`, close };
  } catch (error) {
    await rm(file, { force: true });
    throw withoutPath(error, file);
  }
}

/** The sender does not know the file's name, and is not to. */
function withoutPath(error: unknown, file: string): unknown {
  if (!(error instanceof DataError)) return error;
  const { code, what, fix } = error;
  const parts = { code, where: CLIP, what: what.replaceAll(file, 'the file'), cause: error };
  return new DataError(fix === undefined ? parts : { ...parts, fix });
}
