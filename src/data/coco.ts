import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
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
} from '../processing/index.js';
import { DataError, writeFileAtomic } from '../util/index.js';
import type { Dataset, Sample, SampleObject } from './types.js';

const id = z.union([z.int(), z.string()]);
const rle = z.object({ size: z.tuple([z.int(), z.int()]), counts: z.union([z.string(), z.array(z.int())]) });

const fileSchema = z.object({
  images: z.array(
    z.object({
      id,
      file_name: z.string(),
      width: z.int().optional(),
      height: z.int().optional(),
      /** What the prompt asks for; default: the names of the image's objects, or all categories if it has none. */
      phrases: z.array(z.string()).optional(),
    }),
  ),
  annotations: z.array(
    z.object({
      id,
      image_id: id,
      category_id: id.optional(),
      /** What this object is called, in place of its category. */
      caption: z.string().optional(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]).optional(),
      segmentation: z.union([z.array(z.array(z.number())), rle]).optional(),
      /** A mask of this object beside the annotations, under `masks/`. */
      mask_file: z.string().optional(),
    }),
  ),
  categories: z.array(z.object({ id, name: z.string() })).default([]),
});

type CocoFile = z.infer<typeof fileSchema>;
type CocoImage = CocoFile['images'][number];
type CocoAnnotation = CocoFile['annotations'][number];

/** A part of a dataset. */
export type Part = 'train' | 'val' | 'test';

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

  private constructor(root: string, file: string, { images, annotations, categories }: CocoFile) {
    this.name = basename(root);
    this.root = root;
    this.file = file;
    this.images = images;
    this.categories = new Map(categories.map((category) => [String(category.id), category.name]));
    const byImage = new Map<string, CocoAnnotation[]>();
    for (const annotation of annotations) {
      const key = String(annotation.image_id);
      byImage.set(key, [...(byImage.get(key) ?? []), annotation]);
    }
    this.byImage = byImage;
  }

  /** @throws DataError naming the annotation file when it is missing or not COCO. */
  static async open(root: string, part: Part): Promise<CocoDataset> {
    const file = join(root, 'annotations', `${part}.json`);
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new DataError({
        where: file,
        what: cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`,
        fix: LAYOUT,
        cause,
      });
    });
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw new DataError({ where: file, what: 'it is not valid JSON', fix: 'Write or export it again', cause });
    }
    const parsed = fileSchema.safeParse(json);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new DataError({
        where: `${file}: ${issue?.path.join('.')}`,
        what: issue?.message ?? 'not COCO',
        fix: 'Write the file as COCO object detection annotations',
      });
    }
    return new CocoDataset(root, file, parsed.data);
  }

  get size(): number {
    return this.images.length;
  }

  async load(index: number): Promise<Sample> {
    const entry = this.images[index] as CocoImage;
    const file = join(this.root, 'images', entry.file_name);
    const image = await decodeImage(file);
    const annotations = this.byImage.get(String(entry.id)) ?? [];
    const objects = (await Promise.all(annotations.map((annotation) => this.objectOf(annotation, image)))).filter(
      (object) => object !== undefined,
    );
    const present = [...new Set(objects.map(({ phrase }) => phrase))];
    const asked = entry.phrases ?? (present.length > 0 ? present : [...this.categories.values()]);
    const phrases = [...new Set([...asked, ...present])];
    if (phrases.length === 0)
      throw new DataError({
        where: `${this.file}: image ${entry.id}`,
        what: 'nothing says what to look for in it',
        fix: 'Give it objects, phrases, or the file categories',
      });
    return { id: basename(entry.file_name).replace(/\.[^.]+$/, ''), dataset: this.name, file, image, objects, phrases };
  }

  /** An object, or nothing where its mask is empty. */
  private async objectOf(annotation: CocoAnnotation, image: RasterImage): Promise<SampleObject | undefined> {
    const where = `${this.file}: annotation ${annotation.id}`;
    const phrase = annotation.caption ?? this.categories.get(String(annotation.category_id));
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
    if (segmentation === undefined) return undefined;
    if (Array.isArray(segmentation)) return polygonsToMask(segmentation, image);
    const [h, w] = segmentation.size;
    if (h !== height || w !== width)
      throw new DataError({
        where,
        what: `its RLE is for ${w}x${h}, the image is ${width}x${height}`,
        fix: 'Write the annotations for these images',
      });
    const { counts } = segmentation;
    return typeof counts === 'string' ? decodeRle(counts, w, h) : maskOfRuns(counts, w, h);
  }
}

/** Cuts a box to its image. One that lies wholly outside is an error. */
function clipBox([x, y, w, h]: readonly [number, number, number, number], image: RasterImage, where: string): BoxXyxy {
  const box: BoxXyxy = [Math.max(0, x), Math.max(0, y), Math.min(image.width, x + w), Math.min(image.height, y + h)];
  if (box[2] > box[0] && box[3] > box[1]) return box;
  throw new DataError({
    where,
    what: `its box [${[x, y, w, h].join(', ')}] lies outside the ${image.width}x${image.height} image`,
    fix: 'bbox is left, top, width, height in pixels',
  });
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
