import { DataError } from '../../util/index.js';
import type { Clip } from '../clip.js';
import type { Size } from '../mask.js';
import type { RasterImage } from '../raster-image.js';

/** A clip opened from a file or a folder. {@link OpenedClip.close} it when done. */
export interface OpenedClip extends Clip {
  /** Remarks for the user: gaps in the numbering, a single frame, files that were left out. */
  readonly notices: readonly string[];
  /** The name of frame `index`: its own file, or `FILE#index`. */
  address(index: number): string;
  /** Frees what decoding holds: a running program, decoded frames. */
  close(): Promise<void>;
}

/** Frames that follow one another. */
interface DecodedFrames {
  /** The number of the first one. */
  readonly first: number;
  readonly images: readonly RasterImage[];
}

/** How the frames of one kind of file are found and decoded. */
export interface ClipSource extends Omit<OpenedClip, 'frame' | 'close'> {
  /** Decodes frame `index`, and frames around it where that costs little more. */
  decode(index: number): Promise<DecodedFrames>;
  close?(): Promise<void>;
}

/** Decoded frames that are kept, in bytes: a tracker, a detector and an overlay ask for the same frame one after the other. */
const KEPT_BYTES = 96 * 2 ** 20;

/** Kept whatever their size: the frame in use and the one after it. */
const KEPT_FRAMES = 2;

/** Adds to a source what all clips share: checks of the frame's number and size, errors that name the frame, a small cache. */
export function clipOf(source: ClipSource): OpenedClip {
  const { frames, width, height, name } = source;
  const kept = new Map<number, RasterImage>();
  const most = Math.max(KEPT_FRAMES, Math.floor(KEPT_BYTES / (width * height * 3)));
  let turn: Promise<unknown> = Promise.resolve();

  const checked = (image: RasterImage, index: number): RasterImage => {
    if (image.width === width && image.height === height) return image;
    throw otherSize(source.address(index), index, image, source);
  };
  const read = async (index: number): Promise<RasterImage> => {
    const known = kept.get(index);
    if (known !== undefined) return known;
    const { first, images } = await source.decode(index).catch((cause: unknown) => {
      throw ofFrame(cause, source, index);
    });
    for (const [k, image] of images.entries()) kept.set(first + k, image);
    const own = kept.get(index) as RasterImage;
    while (kept.size > most) kept.delete(leastUseful([...kept.keys()], index));
    return own;
  };
  const { decode: _, close, ...about } = source;
  return {
    ...about,
    notices: [...source.notices, ...(frames === 1 ? [`${name} has a single frame: there is nothing to follow`] : [])],
    frame(index) {
      if (!Number.isInteger(index) || index < 0 || index >= frames) return Promise.reject(noFrame(name, index, frames));
      // One at a time: a decoder that reads ahead has one position.
      const asked = turn.then(() => read(index)).then((image) => checked(image, index));
      turn = asked.catch(() => {});
      return asked;
    },
    async close() {
      await turn;
      kept.clear();
      await close?.();
    },
  };
}

/** The frame farthest from the current one. */
function leastUseful(kept: readonly number[], index: number): number {
  return kept.reduce((worst, frame) => (Math.abs(frame - index) > Math.abs(worst - index) ? frame : worst), index);
}

/** The error for a frame of another size than the first. */
export function otherSize(where: string, index: number, own: Size, first: Size): DataError {
  return new DataError({
    code: 'E_CLIP_FRAMES',
    where,
    what: `frame ${index} is ${own.width}x${own.height} pixels, the first ${first.width}x${first.height}`,
    fix: 'All frames of a clip must have one size: divide the clip there, or export it again',
  });
}

/** The error for a frame that a clip does not have. */
function noFrame(name: string, index: number, frames: number): DataError {
  return new DataError({
    code: 'E_FRAME_NOT_FOUND',
    where: name,
    what: `there is no frame ${index}`,
    fix: frames === 1 ? 'There is one, number 0' : `They are numbered 0 to ${frames - 1}`,
  });
}

/** An error of a decoder, with the frame's number. */
function ofFrame(cause: unknown, source: ClipSource, index: number): unknown {
  if (!(cause instanceof DataError)) return cause;
  const { code, what, fix } = cause;
  const numbered = what.includes(`frame ${index}`) ? what : `frame ${index} of ${source.frames}: ${what}`;
  return new DataError({ code, where: source.address(index), what: numbered, ...(fix === undefined ? {} : { fix }), cause });
}
