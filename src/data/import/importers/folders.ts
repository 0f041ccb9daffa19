import { isUnnamedDicom, openKeptSegmentation } from '../../../imaging/index.js';
import { canonicalPhrase } from '../../../prompts/index.js';
import type { TreeFile } from '../file-tree.js';
import { type ClipMask, countImages, type FrameMask, masksByFrame, mayHoldSeveral } from '../readers/frames.js';
import { splitNamed } from '../readers/split-named.js';
import type { Found, Importer, Problem, ScanOptions, SourceRecord } from '../types.js';

/** Image files by extension, including DICOM frames; DICOM without one is recognised by content. */
/** With what `infer --dicom` puts before the ending. */
const IMAGE_NAME = /(?:\.seg)?\.(?:png|jpe?g|bmp|tiff?|webp|dcm|dicom|ima)$/i;

/** Phrase of objects that neither a folder nor `--prompt` names. */
const UNNAMED = 'lesion';

/** User-provided images and masks: one class, or a folder per class. In a cine clip, each frame with a mask is an image. */
export const folders: Importer = {
  name: 'folders',
  title: 'images/ and masks/',
  aliases: ['folder', 'mask-folders'],
  organ: 'any',
  source: 'your own files',
  layout:
    'images/NAME.png and masks/NAME.png; for several classes CLASS/images and CLASS/masks, or masks/CLASS/NAME.png; for a cine clip masks/NAME#FRAME.png, or as many masks in one file',
  keepsSplits: true,
  scan: ({ tree, prompts }) => find(tree.files, prompts),
};

/** The components of an image path. */
interface Place {
  readonly file: TreeFile;
  /** Folders above `images/` or `masks/`. */
  readonly above: string;
  /** Folders below it. */
  readonly below: string;
  readonly stem: string;
}

/** A mask belonging to an image or to one frame of a cine clip. */
type OwnMask = ClipMask<Place>;

async function find(files: readonly TreeFile[], prompts: ScanOptions['prompts']): Promise<Found> {
  const images = await places(files, /^images?$/i);
  const masks = await places(files, /^(?:masks?|labels?|segmentations?|annotations?)$/i);
  const problems: Problem[] = [];
  const own = ownMasks(images, masks, problems);
  const segments = await segmentClasses(masks);
  const classesAbove = new Set(images.map(({ above }) => classAbove(above))).size > 1;
  let unnamed = false;
  const classOf = (mask: Place) => {
    const name = mask.below !== '' ? mask.below : classesAbove ? classAbove(mask.above) : '';
    if (name === '' && prompts.length === 0 && !segments.has(mask)) unnamed = true;
    return name === '' ? (prompts[0] ?? UNNAMED) : (name.split('/').at(-1) as string).replace(/_/g, ' ').toLowerCase();
  };
  // A folder or --prompt that names a class goes before the names in a segmentation.
  const namedBySegments = (mask: Place) =>
    mask.below === '' && !classesAbove && prompts.length === 0 ? segments.get(mask) : undefined;
  const records: SourceRecord[] = [];
  for (const image of images) {
    const found = own.get(image) ?? [];
    if (found.length === 0) problems.push({ file: image.file.relative, what: 'it has no mask' });
    const split = splitNamed(image.above);
    const group = [image.above, image.below, image.stem].filter((step) => step !== '').join('/');
    const record = (ownMasks: readonly FrameMask<Place>[], page?: number): SourceRecord => ({
      name: page === undefined ? group : `${group}-${String(page).padStart(3, '0')}`,
      image: { file: image.file.path, ...(page === undefined ? {} : { page }) },
      masks: ownMasks.map(({ mask, page: own }) => {
        const classes = namedBySegments(mask);
        const read =
          classes === undefined ? ({ as: 'bright', class: classOf(mask) } as const) : ({ as: 'values', classes } as const);
        return { kind: 'file', file: mask.file.path, read, ...(own === undefined ? {} : { page: own }) };
      }),
      group,
      asked: [...new Set(ownMasks.flatMap(({ mask }) => Object.values(namedBySegments(mask) ?? [classOf(mask)])))],
      ...(split === undefined ? {} : { split }),
    });
    const count = found.length === 0 ? 1 : await countImages(image.file);
    if (count > 1) {
      const clip = await masksByFrame(found, count);
      problems.push(...clip.problems);
      for (const [page, ownMasks] of clip.frames) records.push(record(ownMasks, page));
      continue;
    }
    // The apparent frame number was not one.
    for (const { file, frame } of found)
      if (frame !== undefined) problems.push({ file: file.relative, what: 'a mask without its image' });
    const whole = found.filter(({ frame }) => frame === undefined);
    if (whole.length > 0) records.push(record(whole));
    else if (found.length > 0) problems.push({ file: image.file.relative, what: 'it has no mask' });
  }
  const notes = unnamed ? [`the objects are called "${UNNAMED}": say --prompt to call them otherwise`] : [];
  return { records, problems, notes };
}

/** The classes of DICOM segmentations among the masks, by the numbers of their segments. */
async function segmentClasses(masks: readonly Place[]): Promise<ReadonlyMap<Place, Readonly<Record<number, string>>>> {
  const found = new Map<Place, Readonly<Record<number, string>>>();
  for (const mask of masks) {
    // What cannot be read is reported when it is imported.
    const segmentation = await openKeptSegmentation(mask.file.path).catch(() => undefined);
    const named = segmentation?.header.segments.map(({ number, names: [name = UNNAMED] }) => [number, canonicalPhrase(name)]);
    if (named !== undefined) found.set(mask, Object.fromEntries(named));
  }
  return found;
}

/** The masks of each image, by their names. */
function ownMasks(
  images: readonly Place[],
  masks: readonly Place[],
  problems: Problem[],
): ReadonlyMap<Place, readonly OwnMask[]> {
  const byKey = new Map(images.map((image) => [keyOf(image.above, image.below, image.stem), image]));
  const find = ({ above, below }: Place, stem: string) =>
    byKey.get(keyOf(above, below, stem)) ?? byKey.get(keyOf(above, '', stem));
  const own = new Map<Place, OwnMask[]>();
  for (const mask of masks) {
    const stems = [mask.stem, plainStem(mask.stem)];
    const numbered = stems.flatMap((stem) => {
      const [, clip = '', frame] = /^(.+)[#_-](\d+)$/.exec(stem) ?? [];
      const image = frame === undefined ? undefined : find(mask, clip);
      return image !== undefined && mayHoldSeveral(image.file) ? [{ image, frame: Number(frame) }] : [];
    });
    const whole = stems.map((stem) => find(mask, stem)).find((image) => image !== undefined);
    const { image, frame } = whole === undefined ? (numbered[0] ?? {}) : { image: whole, frame: undefined };
    if (image === undefined) problems.push({ file: mask.file.relative, what: 'a mask without its image' });
    else {
      const others = own.get(image) ?? [];
      others.push({ mask, file: mask.file, frame });
      own.set(image, others);
    }
  }
  return own;
}

async function places(files: readonly TreeFile[], folder: RegExp): Promise<Place[]> {
  const found: Place[] = [];
  for (const file of files) {
    const steps = file.relative.split('/');
    const at = steps.slice(0, -1).findLastIndex((step) => folder.test(step));
    if (at < 0 || !(IMAGE_NAME.test(file.relative) || (await isUnnamedDicom(file.path)))) continue;
    const stem = (steps.at(-1) as string).replace(IMAGE_NAME, '');
    found.push({ file, above: steps.slice(0, at).join('/'), below: steps.slice(at + 1, -1).join('/'), stem });
  }
  return found;
}

function keyOf(...steps: readonly string[]): string {
  return steps.join('\n').normalize('NFC').toLowerCase();
}

/** Strips suffixes that tools add to mask names. */
function plainStem(stem: string): string {
  return stem.replace(/[ _-]+(?:mask|seg|label|gt|segmentation)(?:[ _-]?\d+)?$/i, '');
}

/** The last parent folder that is not a split. */
function classAbove(above: string): string {
  return above.split('/').findLast((step) => splitNamed(step) === undefined) ?? '';
}
