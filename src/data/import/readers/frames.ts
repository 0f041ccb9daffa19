import { lacksEnding, listImages, openKeptSegmentation } from '../../../imaging/index.js';
import type { TreeFile } from '../file-tree.js';
import type { Problem } from '../types.js';

/** Files that may hold several images: DICOM cine clips, which may lack an extension, and multi-page TIFFs. */
const SEVERAL = /\.(?:dcm|dicom|ima|tiff?)$/i;

/** A mask of a cine clip: of all frames, or of the frame given by its name. */
export interface ClipMask<M> {
  readonly mask: M;
  readonly file: TreeFile;
  readonly frame?: number | undefined;
}

/** A frame's mask: the file, or a page of it. */
export interface FrameMask<M> {
  readonly mask: M;
  readonly page?: number;
}

/** Whether a file may hold several images, judging by its name. */
export function mayHoldSeveral({ relative }: TreeFile): boolean {
  return SEVERAL.test(relative) || lacksEnding(relative);
}

/** Number of images in a file; 1 if it cannot be read, so that the later read reports the problem. */
export async function countImages(file: TreeFile): Promise<number> {
  return mayHoldSeveral(file) ? (await listImages(file.path)).length : 1;
}

/**
 * Assigns masks to the frames of a cine clip. A DICOM segmentation names its frames. A mask file with as many images matches frame
 * by frame; a single mask belongs to the frame given by its name. Frames without a mask are left out: they are unannotated, not negative.
 *
 * @param count - number of frames of the cine clip.
 */
export async function masksByFrame<M>(
  masks: readonly ClipMask<M>[],
  count: number,
): Promise<{ readonly frames: ReadonlyMap<number, readonly FrameMask<M>[]>; readonly problems: readonly Problem[] }> {
  const frames = new Map<number, FrameMask<M>[]>();
  const problems: Problem[] = [];
  const add = (frame: number, own: FrameMask<M>) => {
    const others = frames.get(frame);
    if (others === undefined) frames.set(frame, [own]);
    else others.push(own);
  };
  for (const { mask, file, frame } of masks) {
    const problem = (what: string) => problems.push({ file: file.relative, what });
    if (frame !== undefined) {
      if (frame < count) add(frame, { mask });
      else problem(`its image has no frame ${frame}: they are numbered 0 to ${count - 1}`);
      continue;
    }
    const segmentation = await openKeptSegmentation(file.path).catch(() => undefined);
    if (segmentation !== undefined) {
      for (const page of segmentation.shown())
        if (page < count) add(page, { mask, page });
        else problem(`it is of frame ${page}, its image has ${count}`);
      continue;
    }
    const own = await countImages(file);
    if (own === count) for (let page = 0; page < count; page++) add(page, { mask, page });
    else if (own > 1) problem(`it holds ${own} frames, its image ${count}`);
    else
      problem(
        `its image holds ${count} frames: name the one it belongs to, from 0, as in NAME#12.png, or give as many masks in one file`,
      );
  }
  return { frames: new Map([...frames].sort(([a], [b]) => a - b)), problems };
}
