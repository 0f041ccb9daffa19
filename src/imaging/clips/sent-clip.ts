import { DataError } from '../../util/index.js';
import { checkSize, type ImageLimits } from '../image-set.js';
import { type ClipSource, clipOf, type OpenedClip } from './clip-source.js';

/** Name of an uploaded clip in errors: its real name may identify the patient. */
export const CLIP = 'clip';

/** Limits of an uploaded clip. */
export interface ClipLimits extends ImageLimits {
  /** Most frames. */
  readonly clipFrames: number;
  /** Folder for videos while they are open; undefined: they are refused. */
  readonly scratch?: string | undefined;
}

/** Opens a clip if it is within the limits, and frees it otherwise. @throws DataError for one that is beyond them. */
export async function withinLimits(source: ClipSource, limits: ClipLimits): Promise<OpenedClip> {
  try {
    checkSize(source.width, source.height, limits);
    checkLength(source.frames, limits.clipFrames);
  } catch (error) {
    await source.close?.();
    throw error;
  }
  return clipOf(source);
}

function checkLength(frames: number, clipFrames: number): void {
  if (frames <= clipFrames) return;
  throw new DataError({
    code: 'E_IMAGE_TOO_LARGE',
    where: CLIP,
    what: `it has ${frames} frames; up to ${clipFrames} are taken`,
    fix: 'Divide it into shorter clips',
  });
}

/** The media type of a WebP or GIF, by its first bytes. */
export function animationType(bytes: Uint8Array): string | undefined {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, 4) === 'GIF8') return 'image/gif';
  return text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP' ? 'image/webp' : undefined;
}
