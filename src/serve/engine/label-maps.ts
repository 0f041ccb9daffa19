import {
  type BinaryMask,
  type ImageSet,
  type LabelVolume,
  openImages,
  type RasterImage,
  type VolumePlace,
  volumePlace,
} from '../../imaging/index.js';
import type { BoxSegment, Segment } from '../../infer/index.js';
import { type MeasuresFields, measureMask, measuresFields } from '../../measure/index.js';
import type { Selection } from '../../processing/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { DataError, UsageError } from '../../util/index.js';
import type { ServeLimits } from '../limits.js';

/** Segments all images of a file, or of several files of one image each, to one volume of labels. */
export interface LabelsJob {
  readonly kind: 'labels';
  readonly files: readonly { readonly bytes: Uint8Array; readonly name: string }[];
  /** Index of the only frame to segment. Default: all. */
  readonly frame: number | undefined;
  readonly prompt: string;
  readonly threshold: number;
  readonly nmsThreshold: number;
  readonly select: Selection;
}

/** A volume of labels, and what they are. */
export interface LabelsAnswer extends LabelVolume {
  /** The label of each phrase, from 1. */
  readonly names: Readonly<Record<string, number>>;
  readonly objects: readonly LabelledObject[];
}

type LabelledObject = MeasuresFields & {
  readonly phrase: string;
  readonly label: number;
  /** From 0. */
  readonly frame: number;
  readonly score: number;
};

/** Voxels of a volume of labels at most. */
const MOST_VOXELS = 256e6;

/** Labels have a byte. */
const MOST_LABELS = 255;

type Segmenting = (
  image: RasterImage,
  phrases: readonly string[],
  options: { readonly threshold: number; readonly nmsThreshold: number; readonly select: Selection },
) => Promise<readonly (Segment | BoxSegment)[]>;

/**
 * Segments images to a volume of labels. Where objects overlap, the one of the higher score is on top.
 *
 * @throws DataError for images that cannot be read, or of different sizes; UsageError for a prompt of too many phrases, or a frame
 * that does not exist.
 */
export async function segmentToLabels(segment: Segmenting, job: LabelsJob, limits: ServeLimits): Promise<LabelsAnswer> {
  const { files, frame: only, prompt, threshold, nmsThreshold, select } = job;
  const phrases = PromptTokenizer.parsePrompt(prompt);
  if (phrases.length > MOST_LABELS) throw tooMany(phrases.length);
  const names = Object.fromEntries(phrases.map((phrase, i) => [phrase, i + 1]));
  const sets = await Promise.all(files.map(({ bytes, name }) => openImages(bytes, limits, name)));
  const frames = sets.flatMap((set) => Array.from({ length: slicesOf(set) }, (_, i) => () => set.image(set.address(i))));
  if (only !== undefined && only >= frames.length) throw noFrame(only, frames.length);
  const first = await frames[only ?? 0]?.();
  if (first === undefined) throw new RangeError('segmentToLabels: no file');
  const { width, height } = first;
  const voxels = width * height * frames.length;
  if (voxels > MOST_VOXELS) throw tooLarge(voxels);
  const labels = new Uint8Array(voxels);
  const objects: LabelledObject[] = [];
  for (const [index, read] of frames.entries()) {
    if (only !== undefined && index !== only) continue;
    const image = index === (only ?? 0) ? first : await read();
    if (image.width !== width || image.height !== height) throw sizesDiffer(index, image, first);
    const found = [...(await segment(image, phrases, { threshold, nmsThreshold, select }))].sort((a, b) => b.score - a.score);
    for (const { phrase, score, mask } of found) {
      const measured = mask === undefined ? { reason: 'there is no mask' } : measureMask(mask, image.calibration);
      objects.push({ phrase, label: names[phrase] ?? 0, frame: index, score, ...measuresFields(measured) });
    }
    const slice = labels.subarray(index * width * height, (index + 1) * width * height);
    for (const { phrase, mask } of found.reverse()) if (mask !== undefined) paint(slice, mask, names[phrase] ?? 0);
  }
  return { shape: [width, height, frames.length], labels, names, objects, place: await placeOf(job, sets, first) };
}

function paint(slice: Uint8Array, mask: BinaryMask, label: number): void {
  for (let i = 0; i < slice.length; i++) if (mask.data[i]) slice[i] = label;
}

/** Of a file of several volumes, the first is segmented. */
function slicesOf(set: ImageSet): number {
  return set.kind === 'slices' ? set.perFrame : set.count;
}

/** The place of a NIfTI volume by its header; of other images by the size of their pixels. */
async function placeOf(
  { files: [file] }: LabelsJob,
  [set]: readonly ImageSet[],
  { spacingMm: [across, down] = [1, 1] }: RasterImage,
): Promise<VolumePlace> {
  const place = set?.kind === 'slices' && file !== undefined ? await volumePlace(file.bytes) : undefined;
  if (place !== undefined) return place;
  return {
    directions: [
      [across, 0, 0],
      [0, down, 0],
      [0, 0, 1],
    ],
    origin: [0, 0, 0],
  };
}

function tooMany(count: number): UsageError {
  return new UsageError({
    code: 'E_OPTION_VALUE',
    where: 'prompt',
    what: `it has ${count} phrases; a volume of labels has at most ${MOST_LABELS}`,
    fix: 'Ask for fewer at a time',
  });
}

function noFrame(frame: number, count: number): DataError {
  return new DataError({
    code: 'E_FRAME_NOT_FOUND',
    where: 'frame',
    what: `there is no frame ${frame}`,
    fix: `They are numbered 0 to ${count - 1}`,
  });
}

function tooLarge(voxels: number): DataError {
  return new DataError({
    code: 'E_IMAGE_TOO_LARGE',
    where: 'image',
    what: `its labels would take ${Math.round(voxels / 1e6)} million voxels; up to ${MOST_VOXELS / 1e6} million are written`,
    fix: 'Send fewer frames',
  });
}

function sizesDiffer(index: number, image: RasterImage, first: RasterImage): DataError {
  return new DataError({
    code: 'E_CLIP_FRAMES',
    where: `frame ${index}`,
    what: `it is ${image.width}x${image.height}, the first ${first.width}x${first.height}`,
    fix: 'Send images of one size, or a single one',
  });
}
