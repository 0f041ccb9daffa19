import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  canonicalPhrase,
  decodeGreyMask,
  decodeImage,
  decodeRle,
  encodePng,
  fitMask,
  maskArea,
  maskOfRuns,
  maskToPng,
  polygonsToMask,
  type RasterImage,
  respelt,
} from '../processing/index.js';
import { DataError, writeFileAtomic } from '../util/index.js';
import { type CocoAnnotation, type CocoFile, type CocoImage, parseCocoFile } from './coco-schema.js';
import type { Dataset, Sample, SampleObject, SampleSource } from './types.js';

/** A part of a dataset. */
export type Part = 'train' | 'val' | 'test';

/** A sample with what its objects were made of. */
export interface LoadedAnnotations {
  readonly sample: Sample;
  readonly pairs: readonly { readonly annotation: CocoAnnotation; readonly object: SampleObject | undefined }[];
}

const LAYOUT = 'A dataset is a folder with annotations/{train,val,test}.json, images/ and, for masks as files, masks/';

/**
 * The project's own layout: COCO annotations, images and, where masks are files, masks. A category's name, or an
 * annotation's caption, is the phrase.
 */
export class CocoDataset implements Dataset {
  readonly name: string;
  private readonly root: string;
  private readonly file: string;
  private readonly images: readonly CocoImage[];
  private readonly byImage: ReadonlyMap<string, readonly CocoAnnotation[]>;
  private readonly categories: ReadonlyMap<string, string>;

  /** What to tell about names of categories and captions that are not the phrases as they are. */
  readonly respelt: readonly string[];

  private constructor(root: string, file: string, { images, annotations, categories }: CocoFile, name: string) {
    this.name = name;
    this.root = root;
    this.file = file;
    this.images = images;
    this.categories = new Map(categories.map((category) => [String(category.id), canonicalPhrase(category.name)]));
    const captions = annotations.flatMap(({ caption }) => caption ?? []);
    this.respelt = respelt([...categories.map((category) => category.name), ...captions]);
    const byImage = new Map<string, CocoAnnotation[]>();
    for (const annotation of annotations) {
      const key = String(annotation.image_id);
      byImage.set(key, [...(byImage.get(key) ?? []), annotation]);
    }
    this.byImage = byImage;
  }

  /**
   * @param name - what results call it. Default: the name of its folder.
   * @throws DataError naming the annotation file, and the annotation, when it is missing or not COCO.
   */
  static async open(root: string, part: Part, name = basename(root)): Promise<CocoDataset> {
    const file = join(root, 'annotations', `${part}.json`);
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new DataError({
        where: file,
        what: cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`,
        fix: LAYOUT,
        cause,
      });
    });
    return new CocoDataset(root, file, parseCocoFile(text, file), name);
  }

  get size(): number {
    return this.images.length;
  }

  get phrases(): string[] {
    const captions = [...this.byImage.values()].flat().flatMap(({ caption }) => caption ?? []);
    const asked = [...captions, ...this.images.flatMap(({ phrases }) => phrases ?? [])];
    return [...new Set([...this.categories.values(), ...asked.map(canonicalPhrase)])];
  }

  async load(index: number): Promise<Sample> {
    return (await this.loadWithAnnotations(index)).sample;
  }

  source(index: number): SampleSource {
    const image = this.images[index] as CocoImage;
    const annotations = this.byImage.get(String(image.id)) ?? [];
    const masks = annotations.flatMap(({ mask_file }) => (mask_file === undefined ? [] : [join(this.root, 'masks', mask_file)]));
    return {
      id: image.file_name,
      files: [join(this.root, 'images', image.file_name), ...new Set(masks)],
      group: groupOf(image),
      annotation: JSON.stringify([image, annotations, [...this.categories]]),
    };
  }

  /** A sample, and each annotation with the object that it became; none where its mask is empty. */
  async loadWithAnnotations(index: number): Promise<LoadedAnnotations> {
    const entry = this.images[index] as CocoImage;
    const file = join(this.root, 'images', entry.file_name);
    const image = await decodeImage(file);
    if ((entry.width ?? image.width) !== image.width || (entry.height ?? image.height) !== image.height)
      throw new DataError({
        where: file,
        what: `it is ${image.width}x${image.height}, but ${this.file} says ${entry.width}x${entry.height}`,
        fix: 'Annotations are in pixels: bring the image back to the size at which it was annotated',
      });
    const annotations = this.byImage.get(String(entry.id)) ?? [];
    const pairs = await Promise.all(
      annotations.map(async (annotation) => ({ annotation, object: await this.objectOf(annotation, image) })),
    );
    const objects = pairs.flatMap(({ object }) => object ?? []);
    const present = [...new Set(objects.map(({ phrase }) => phrase))];
    const asked = entry.phrases?.map(canonicalPhrase) ?? (present.length > 0 ? present : [...this.categories.values()]);
    const phrases = [...new Set([...asked, ...present])];
    if (phrases.length === 0)
      throw new DataError({
        where: `${this.file}: image ${entry.id}`,
        what: 'nothing says what to look for in it',
        fix: 'Give it objects, phrases, or the file categories',
      });
    const id = basename(entry.file_name).replace(/\.[^.]+$/, '');
    const group = groupOf(entry);
    const spacingMm = entry.pixel_spacing_mm ?? image.spacingMm;
    const known = { ...(group !== undefined && { group }), ...(spacingMm !== undefined && { spacingMm }) };
    return { sample: { id, dataset: this.name, file, ...known, image, objects, phrases }, pairs };
  }

  /** An object, or nothing where its mask is empty. */
  private async objectOf(annotation: CocoAnnotation, image: RasterImage): Promise<SampleObject | undefined> {
    const where = `${this.file}: annotation ${annotation.id}`;
    const { caption } = annotation;
    const phrase = caption === undefined ? this.categories.get(String(annotation.category_id)) : canonicalPhrase(caption);
    if (phrase === undefined)
      throw new DataError({
        where,
        what: 'it has neither a known category nor a caption',
        fix: 'Add its category to categories',
      });
    const box = annotation.bbox && clipBox(annotation.bbox, image, where);
    const mask = await this.maskOf(annotation, image, where);
    if (mask === undefined) {
      if (box === undefined)
        throw new DataError({ where, what: 'it has no bbox, no segmentation and no mask_file', fix: 'Give it one of them' });
      return { phrase, boxXyxyPx: box, mask: rectangle(box, image) };
    }
    const tight = boxOfMask(mask);
    return tight === undefined ? undefined : { phrase, boxXyxyPx: tight, mask };
  }

  private async maskOf(
    { segmentation, mask_file }: CocoAnnotation,
    image: RasterImage,
    where: string,
  ): Promise<BinaryMask | undefined> {
    const { width, height } = image;
    if (mask_file !== undefined) {
      const path = join(this.root, 'masks', mask_file);
      return fitMask(await decodeGreyMask(path), image, path);
    }
    // Tools that annotate boxes alone write an empty list.
    if (segmentation === undefined || (Array.isArray(segmentation) && segmentation.length === 0)) return undefined;
    if (Array.isArray(segmentation)) {
      if (segmentation.every((polygon) => isOutside(polygon, image)))
        throw new DataError({
          where,
          what: `its polygons lie outside the ${width}x${height} image`,
          fix: 'Polygons are lists of x, y in pixels of this image',
        });
      return polygonsToMask(segmentation, image);
    }
    const [h, w] = segmentation.size;
    if (h !== height || w !== width)
      throw new DataError({
        where,
        what: `its RLE is for ${w}x${h}, the image is ${width}x${height}`,
        fix: 'Write the annotations for these images',
      });
    const { counts } = segmentation;
    try {
      return typeof counts === 'string' ? decodeRle(counts, w, h) : maskOfRuns(counts, w, h);
    } catch (cause) {
      const what = `its RLE cannot be decoded: ${(cause as Error).message}`;
      throw new DataError({ where, what, fix: 'Write the annotation again', cause });
    }
  }
}

/** The patient, the volume, or what else says which images belong together. */
function groupOf({ group, patient, volume }: CocoImage): string | undefined {
  const own = group ?? patient ?? volume;
  return own === undefined ? undefined : String(own);
}

/** Cuts a box to its image. One that lies wholly outside is an error. */
function clipBox([x, y, w, h]: readonly [number, number, number, number], image: RasterImage, where: string): BoxXyxy {
  if (w <= 0 || h <= 0)
    throw new DataError({
      where,
      what: `its box [${[x, y, w, h].join(', ')}] has no area`,
      fix: 'bbox is left, top, width, height in pixels',
    });
  const box: BoxXyxy = [Math.max(0, x), Math.max(0, y), Math.min(image.width, x + w), Math.min(image.height, y + h)];
  if (box[2] > box[0] && box[3] > box[1]) return box;
  throw new DataError({
    where,
    what: `its box [${[x, y, w, h].join(', ')}] lies outside the ${image.width}x${image.height} image`,
    fix: 'bbox is left, top, width, height in pixels',
  });
}

/** Whether no part of a polygon can touch the image. */
function isOutside(polygon: readonly number[], { width, height }: RasterImage): boolean {
  const xs = polygon.filter((_value, i) => i % 2 === 0);
  const ys = polygon.filter((_value, i) => i % 2 === 1);
  return Math.max(...xs) <= 0 || Math.max(...ys) <= 0 || Math.min(...xs) >= width || Math.min(...ys) >= height;
}

function rectangle([x0, y0, x1, y1]: BoxXyxy, { width, height }: RasterImage): BinaryMask {
  const data = new Uint8Array(width * height);
  for (let y = Math.floor(y0); y < Math.ceil(y1); y++) data.fill(1, y * width + Math.floor(x0), y * width + Math.ceil(x1));
  return { width, height, data };
}

/** Writes a dataset as one part of the project's layout, with a mask file for each object. */
export async function writeCoco(dataset: Dataset, root: string, part: Part): Promise<void> {
  await Promise.all(['annotations', 'images', 'masks'].map((folder) => mkdir(join(root, folder), { recursive: true })));
  const images: CocoImage[] = [];
  const annotations: CocoAnnotation[] = [];
  const categories = new Map<string, number>();
  for (let i = 0; i < dataset.size; i++) {
    const { id: name, image, objects, phrases } = await dataset.load(i);
    const file_name = `${name}.png`;
    await writeFileAtomic(join(root, 'images', file_name), await encodePng(image));
    images.push({ id: i + 1, file_name, width: image.width, height: image.height, phrases: [...phrases] });
    for (const [
      k,
      {
        phrase,
        boxXyxyPx: [x0, y0, x1, y1],
        mask,
      },
    ] of objects.entries()) {
      const mask_file = `${name}_${k}.png`;
      await writeFileAtomic(join(root, 'masks', mask_file), await maskToPng(mask));
      if (!categories.has(phrase)) categories.set(phrase, categories.size + 1);
      const annotation = {
        id: annotations.length + 1,
        image_id: i + 1,
        category_id: categories.get(phrase) as number,
        bbox: [x0, y0, x1 - x0, y1 - y0] as [number, number, number, number],
        area: maskArea(mask),
        iscrowd: 0,
        mask_file,
      };
      annotations.push(annotation);
    }
  }
  const file = { images, annotations, categories: [...categories].map(([name, number]) => ({ id: number, name })) };
  await writeFileAtomic(join(root, 'annotations', `${part}.json`), `${JSON.stringify(file, null, 1)}\n`);
}
