import type { TreeFile } from '../file-tree.js';
import { partNamed } from '../readers/part-named.js';
import type { Adapter, Found, Problem, ScanOptions, SourceRecord } from '../types.js';

/** Pictures, frames of DICOM among them. */
const PICTURE = /\.(?:png|jpe?g|bmp|tiff?|webp|dcm|dicom|ima)$/i;

/** What objects are called where neither a folder nor `--prompt` says it. */
const UNNAMED = 'lesion';

/** One's own images and masks, one class or a folder a class. */
export const folders: Adapter = {
  name: 'folders',
  title: 'images/ and masks/',
  aliases: ['folder', 'mask-folders'],
  organ: 'any',
  source: 'your own files',
  layout: 'images/NAME.png and masks/NAME.png; for several classes CLASS/images and CLASS/masks, or masks/CLASS/NAME.png',
  keepsParts: true,
  scan: async ({ tree, prompts }) => find(tree.files, prompts),
};

/** A picture's path, taken apart. */
interface Place {
  readonly file: TreeFile;
  /** Folders above `images/` or `masks/`. */
  readonly above: string;
  /** Folders below it. */
  readonly below: string;
  readonly stem: string;
}

function find(files: readonly TreeFile[], prompts: ScanOptions['prompts']): Found {
  const images = places(files, /^images?$/i);
  const masks = places(files, /^(?:masks?|labels?|segmentations?|annotations?)$/i);
  const byKey = new Map(images.map((image) => [keyOf(image.above, image.below, image.stem), image]));
  const own = new Map<Place, Place[]>();
  const problems: Problem[] = [];
  for (const mask of masks) {
    const image = [mask.stem, plainStem(mask.stem)]
      .flatMap((stem) => [byKey.get(keyOf(mask.above, mask.below, stem)), byKey.get(keyOf(mask.above, '', stem))])
      .find((found) => found !== undefined);
    if (image === undefined) problems.push({ file: mask.file.relative, what: 'a mask without its image' });
    else own.set(image, [...(own.get(image) ?? []), mask]);
  }
  const classesAbove = new Set(images.map(({ above }) => classAbove(above))).size > 1;
  let unnamed = false;
  const records = images.flatMap((image): SourceRecord[] => {
    const found = own.get(image) ?? [];
    if (found.length === 0) {
      problems.push({ file: image.file.relative, what: 'it has no mask' });
      return [];
    }
    const classOf = (mask: Place) => {
      const name = mask.below !== '' ? mask.below : classesAbove ? classAbove(mask.above) : '';
      if (name === '' && prompts.length === 0) unnamed = true;
      return name === '' ? (prompts[0] ?? UNNAMED) : (name.split('/').at(-1) as string).replace(/_/g, ' ').toLowerCase();
    };
    const part = partNamed(image.above);
    const name = [image.above, image.below, image.stem].filter((step) => step !== '').join('/');
    return [
      {
        name,
        image: { file: image.file.path },
        masks: found.map((mask) => ({ kind: 'file', file: mask.file.path, read: { as: 'bright', class: classOf(mask) } })),
        group: name,
        asked: [...new Set(found.map(classOf))],
        ...(part === undefined ? {} : { part }),
      },
    ];
  });
  const notes = unnamed ? [`the objects are called "${UNNAMED}": say --prompt to call them otherwise`] : [];
  return { records, problems, notes };
}

function places(files: readonly TreeFile[], folder: RegExp): Place[] {
  return files.flatMap((file) => {
    if (!PICTURE.test(file.relative)) return [];
    const steps = file.relative.split('/');
    const at = steps.slice(0, -1).findLastIndex((step) => folder.test(step));
    if (at < 0) return [];
    const stem = (steps.at(-1) as string).replace(PICTURE, '');
    return [{ file, above: steps.slice(0, at).join('/'), below: steps.slice(at + 1, -1).join('/'), stem }];
  });
}

function keyOf(...steps: readonly string[]): string {
  return steps.join('\n').normalize('NFC').toLowerCase();
}

/** What tools add to the name of a mask. */
function plainStem(stem: string): string {
  return stem.replace(/[ _-]+(?:mask|seg|label|gt|segmentation)(?:[ _-]?\d+)?$/i, '');
}

/** The last folder above that is no part. */
function classAbove(above: string): string {
  return above.split('/').findLast((step) => partNamed(step) === undefined) ?? '';
}
