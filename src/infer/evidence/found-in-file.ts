import type { SegmentedObject } from '../../evidence/index.js';
import { decodeRle, splitAddress } from '../../imaging/index.js';
import type { MeasuresFields } from '../../measure/index.js';
import type { BatchImage } from '../batch/batch-image.js';
import type { FoundInImage } from '../batch/coco-result.js';
import type { JournalEntry } from '../batch/journal-entry.js';

/** What was found in the frames of one file. */
export interface FoundInFile {
  /** Names the file in errors. */
  readonly where: string;
  /** The file's place below the folder that was asked for. */
  readonly fileName: string;
  /** An image of it, whose source is read. */
  readonly image: BatchImage;
  /** Results by frame. */
  readonly frames: readonly { readonly frame: number; readonly results: readonly FoundInImage[] }[];
}

/**
 * The finished images by the file that they are of. A file counts only if all of its frames that were asked for are finished.
 *
 * @param entriesOf - the finished parts of an image.
 */
export async function foundInFiles(
  images: readonly BatchImage[],
  entriesOf: (image: BatchImage) => readonly JournalEntry[],
): Promise<FoundInFile[]> {
  const files = new Map<string, { -readonly [K in keyof FoundInFile]: FoundInFile[K] } & { unfinished: boolean }>();
  for (const image of images) {
    const { file } = await splitAddress(image.path);
    const known = files.get(file) ?? {
      where: file,
      fileName: (await splitAddress(image.fileName)).file,
      image,
      frames: [],
      unfinished: false,
    };
    const entries = entriesOf(image);
    const own = entries.map(({ fileName = image.fileName, results }) => ({ frame: frameOf(fileName), results }));
    if (entries.length === 0 || (entries[0]?.of?.count ?? entries.length) !== entries.length) known.unfinished = true;
    known.frames = [...known.frames, ...own];
    files.set(file, known);
  }
  return [...files.values()].filter(({ unfinished }) => !unfinished);
}

/** The number after `#`; a file with a single image has none. */
export function frameOf(fileName: string): number {
  return Number(/#(\d+)$/.exec(fileName)?.[1] ?? 0);
}

/** A result of COCO, of an image or of a frame of a clip. */
type Found = Pick<FoundInImage, 'category' | 'score' | 'segmentation'> & {
  readonly measures: unknown;
  readonly unmeasured?: string;
};

/**
 * The objects of images that were segmented one by one. Nothing says which are the same in several frames, so each is an object of
 * its own.
 */
export function separateObjects({ frames }: FoundInFile, several: boolean): SegmentedObject[] {
  return frames.flatMap(({ frame, results }) => {
    const counts = new Map<string, number>();
    return results.flatMap((found) => {
      const shown = onFrame(found, frame);
      if (shown === undefined) return [];
      const number = (counts.get(found.category) ?? 0) + 1;
      counts.set(found.category, number);
      const label = `${found.category} ${number}${several ? `, frame ${frame + 1}` : ''}`;
      return [{ phrase: found.category, label, frames: [shown] }];
    });
  });
}

/** The objects that were followed through a clip. */
export function trackedObjects(
  results: readonly (Found & { readonly frame: number; readonly track_id: number })[],
): SegmentedObject[] {
  const tracks = new Map<number, SegmentedObject & { frames: SegmentedObject['frames'][number][] }>();
  for (const found of results) {
    const shown = onFrame(found, found.frame);
    if (shown === undefined) continue;
    const { track_id: track, category: phrase } = found;
    const known = tracks.get(track) ?? { phrase, label: `${phrase} ${track}`, frames: [] };
    known.frames.push(shown);
    tracks.set(track, known);
  }
  return [...tracks].sort(([a], [b]) => a - b).map(([, object]) => object);
}

/** Undefined for a box without a mask, and for an empty mask. */
function onFrame(
  { score, segmentation, measures, unmeasured }: Found,
  frame: number,
): SegmentedObject['frames'][number] | undefined {
  if (segmentation === undefined) return undefined;
  const [height, width] = segmentation.size;
  const mask = decodeRle(segmentation.counts, width, height);
  if (!mask.data.includes(1)) return undefined;
  const fields = (measures === null ? { measures, unmeasured } : { measures }) as MeasuresFields;
  return { frame, mask, score, measures: fields };
}
