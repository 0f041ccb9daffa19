import { realpath } from 'node:fs/promises';
import { isInside } from '../../../util/index.js';
import { groupOf, type Split } from '../../coco.js';
import type { CocoAnnotation, CocoImage } from '../../coco-schema.js';
import type { FileTree, TreeFile } from '../file-tree.js';
import { assign, type Claim } from '../readers/assign.js';
import { type AnnotationList, type ListedImage, readAnnotationLists } from '../readers/coco-lists.js';
import { stepsOf } from '../readers/named-path.js';
import { foldersOf, PathLookup } from '../readers/path-lookup.js';
import { splitNamed } from '../readers/split-named.js';
import type { Found, Importer, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';
import { IMAGE_NAME } from './common.js';

/** Any COCO detection set: splits from file or folder names; masks as polygons, RLE or files. */
export const coco: Importer = {
  name: 'coco',
  title: 'COCO',
  aliases: ['coco-json'],
  organ: 'any',
  source: 'your own annotations',
  layout: 'annotations/{train,val,test}.json (or one .json) with images in any folder beside it',
  keepsSplits: true,
  scan,
};

/** The files of entries, or why they have none. */
type Claims<K> = ReadonlyMap<K, Claim | string>;

/** A mask file named by an annotation. */
interface MaskOf {
  readonly image: ListedImage;
  readonly annotation: CocoAnnotation;
}

async function scan({ tree }: ScanOptions): Promise<Found> {
  const { lists, problems: unread, notes } = await readAnnotationLists(tree);
  const problems: Problem[] = [...unread];
  const images = imagesOf(lists, tree);
  const masks = assignMasks(lists, tree, images);
  const records: SourceRecord[] = [];
  for (const list of lists) {
    for (const listed of list.images) {
      const found = await ownFile(images.get(listed), tree);
      if (found === undefined || typeof found === 'string') {
        problems.push({ file: list.file.relative, what: `${nameOf(listed.image)}: ${found ?? 'it is not there'}` });
        continue;
      }
      const sources: (MaskSource | string)[] = [];
      for (const annotation of listed.annotations)
        sources.push(sourceOf(annotation, listed.image, list, await ownFile(masks.get(annotation), tree)));
      // A single missing object would falsify the image: without its only object it would become a negative.
      const unusable = [...listed.unusable, ...sources.filter((source) => typeof source === 'string')];
      for (const what of unusable)
        problems.push({ file: list.file.relative, what: `${what}; ${nameOf(listed.image)} is left out` });
      if (unusable.length > 0) continue;
      records.push(record(listed, found, sources as MaskSource[], list.file));
    }
  }
  return { records, problems, notes: [...notes, ...unlisted(tree, images, masks)] };
}

function imagesOf(lists: readonly AnnotationList[], { files }: FileTree): Claims<ListedImage> {
  const lookup = new PathLookup(files.filter(({ relative }) => !/\.(json|csv|xlsx|txt)$/i.test(relative)));
  const wanted = lists.flatMap(({ file, images }) => {
    const list = { file, folders: foldersOf(images.map(({ image }) => image.file_name)) };
    return images.map((listed) => {
      const { id, file_name: name, coco_url: url } = listed.image;
      return {
        key: listed,
        entry: `image ${id} of ${file.relative}`,
        list,
        named: { name, addresses: url === undefined ? [] : [url] },
      };
    });
  });
  return assign(wanted, lookup);
}

/** Masks are searched in a folder of that name, unless their path names another folder. */
function assignMasks(lists: readonly AnnotationList[], { files }: FileTree, images: Claims<ListedImage>): Claims<CocoAnnotation> {
  const taken = new Set([...images.values()].map((found) => (typeof found === 'string' ? undefined : found.file)));
  const pictures = files.filter((file) => isImage(file) && !taken.has(file));
  const lookup = new PathLookup(pictures, 'masks');
  const wanted = lists.flatMap(({ file, images, categories }) => {
    const all = images.flatMap((image) => image.annotations.map((annotation): MaskOf => ({ image, annotation })));
    const own = all.filter(({ annotation }) => annotation.mask_file !== undefined);
    const list = { file, folders: foldersOf(own.map(({ annotation }) => annotation.mask_file as string)) };
    return own.map(({ image, annotation }) => ({
      key: annotation,
      entry: `annotation ${annotation.id} of ${file.relative}`,
      list,
      named: { name: annotation.mask_file as string },
      // One object may have several names, which then share its mask.
      shared: { with: image, as: phraseOf(annotation, categories) ?? '' },
    }));
  });
  return assign(wanted, lookup);
}

function record({ image }: ListedImage, { file, common }: Claim, masks: readonly MaskSource[], list: TreeFile): SourceRecord {
  const split: Split | undefined = splitNamed(list.relative);
  const own = stepsOf(file.relative).slice(-common).join('/');
  const { width, height, phrases, pixel_spacing_mm: spacingMm } = image;
  return {
    name: `${split === undefined ? '' : `${split}-`}${stem(own)}`,
    image: { file: file.path },
    masks,
    group: groupOf(image) ?? sourceImage(file),
    ...(phrases === undefined ? {} : { asked: phrases }),
    ...(split === undefined ? {} : { split }),
    ...(spacingMm === undefined ? {} : { spacingMm }),
    ...(width === undefined && height === undefined ? {} : { stated: { width, height, by: list.relative } }),
  };
}

/**
 * The source image of a copy. Roboflow appends `.rf.` and a hash to augmented copies. Otherwise every image is its own source:
 * the same name in another folder is another image.
 */
function sourceImage({ relative }: TreeFile): string {
  return stem(relative).replace(/\.rf\.[0-9a-z]{6,}$/i, '');
}

function stem(path: string): string {
  return path.replace(/\.\w+$/, '');
}

function sourceOf(
  annotation: CocoAnnotation,
  image: CocoImage,
  { file, categories }: AnnotationList,
  mask: Claim | string | undefined,
): MaskSource | string {
  const name = `annotation ${annotation.id}`;
  const phrase = phraseOf(annotation, categories);
  if (phrase === undefined) return `${name}: it has neither a known category nor a caption`;
  const by = { file: file.relative, name, image: nameOf(image) };
  const { segmentation, bbox, mask_file: maskFile } = annotation;
  if (maskFile !== undefined) {
    if (typeof mask !== 'object') return `${name}: its mask ${shown(maskFile)} is not usable: ${mask ?? 'it is not there'}`;
    return { kind: 'file', file: mask.file.path, read: { as: 'bright', class: phrase }, whole: true, by };
  }
  if (segmentation !== undefined && !Array.isArray(segmentation))
    return { kind: 'rle', class: phrase, size: segmentation.size, counts: segmentation.counts, by };
  if (segmentation !== undefined && segmentation.length > 0)
    return { kind: 'polygons', class: phrase, polygons: segmentation, by };
  return bbox === undefined
    ? `${name}: it has no bbox, no segmentation and no mask_file`
    : { kind: 'box', class: phrase, bbox, by };
}

function phraseOf(
  { caption, category_id: category }: CocoAnnotation,
  categories: ReadonlyMap<string, string>,
): string | undefined {
  return caption?.trim() ?? categories.get(String(category));
}

/** Refuses links out of the folder: imported files are copied and may be passed on. */
async function ownFile(found: Claim | string | undefined, { root }: FileTree): Promise<Claim | string | undefined> {
  if (typeof found !== 'object') return found;
  const real = await realpath(found.file.path).catch(() => undefined);
  if (real === undefined || isInside(real, await realpath(root))) return found;
  return `${found.file.relative} is a link that leads out of the folder that is imported: copy what it leads to (cp -RL)`;
}

/** Images that no list names, possibly by oversight. */
function unlisted({ files }: FileTree, ...used: readonly Claims<unknown>[]): string[] {
  const known = new Set<TreeFile>();
  for (const map of used) for (const found of map.values()) if (typeof found !== 'string') known.add(found.file);
  const others = files.filter((file) => isImage(file) && !known.has(file));
  const [first] = others;
  if (first === undefined) return [];
  const more = others.length === 1 ? '' : ` and ${others.length - 1} more images`;
  return [`left out, as no image or mask of an annotation file: ${first.relative}${more}`];
}

function isImage({ relative }: TreeFile): boolean {
  return new RegExp(IMAGE_NAME, 'iu').test(relative);
}

function nameOf({ id, file_name: name }: CocoImage): string {
  return `image ${id} (${shown(name)})`;
}

function shown(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}
