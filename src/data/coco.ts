import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { decodeImage, encodePng, maskArea, maskToPng } from '../imaging/index.js';
import { canonicalPhrase, respelt } from '../prompts/index.js';
import { DataError, safeRelative, unreadableCode, unsafeName, writeFileAtomic } from '../util/index.js';
import { sizeMisfit } from './annotation-misfit.js';
import { checkCount, objectOf } from './coco-object.js';
import { type CocoAnnotation, type CocoFile, type CocoImage, parseCocoFile, unreadableText } from './coco-schema.js';
import type { Dataset, Sample, SampleObject, SampleSource } from './types.js';

/** A split of a dataset. */
export type Split = 'train' | 'val' | 'test';

/** A sample with the annotations of its objects. */
export interface LoadedAnnotations {
  readonly sample: Sample;
  readonly pairs: readonly { readonly annotation: CocoAnnotation; readonly object: SampleObject }[];
}

const LAYOUT = 'A dataset is a folder with annotations/{train,val,test}.json, images/ and, for masks as files, masks/';

/**
 * A split of a dataset in the project's layout: COCO annotations, images and, optionally, mask files. The phrase is the
 * category's name or the annotation's caption.
 */
export class CocoDataset implements Dataset {
  readonly name: string;
  private readonly root: string;
  private readonly file: string;
  private readonly images: readonly CocoImage[];
  private readonly byImage: ReadonlyMap<string, readonly CocoAnnotation[]>;
  private readonly categories: ReadonlyMap<string, string>;
  private readonly unusable: CocoFile['unusable'];

  /** Notices about category names and captions that had to be normalised to be phrases. */
  readonly respelt: readonly string[];

  private constructor(root: string, file: string, { images, annotations, categories, unusable }: CocoFile, name: string) {
    this.name = name;
    this.root = root;
    this.file = file;
    this.images = images;
    this.unusable = unusable;
    this.categories = new Map(categories.map((category) => [String(category.id), canonicalPhrase(category.name)]));
    const captions = annotations.flatMap(({ caption }) => caption ?? []);
    this.respelt = respelt([...categories.map((category) => category.name), ...captions]);
    const byImage = new Map<string, CocoAnnotation[]>();
    for (const annotation of annotations) {
      const key = String(annotation.image_id);
      const own = byImage.get(key);
      if (own === undefined) byImage.set(key, [annotation]);
      else own.push(annotation);
    }
    this.byImage = byImage;
  }

  /**
   * Opens a split.
   *
   * @param name - the dataset's name in results. Default: the name of its folder.
   * @throws DataError naming the annotation file, and the annotation, when it is missing or not COCO.
   */
  static async open(root: string, split: Split, name = basename(root)): Promise<CocoDataset> {
    const file = join(root, 'annotations', `${split}.json`);
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new DataError({ code: unreadableCode(cause), where: file, what: unreadableText(cause), fix: LAYOUT, cause });
    });
    return new CocoDataset(root, file, parseCocoFile(text, file), name);
  }

  /** Number of images. */
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
    const unusable = this.unusable.get(String(image.id)) ?? [];
    // Annotations refused for unsafe names have no mask path.
    const named = annotations.filter(({ mask_file }) => mask_file === undefined || unsafeName(mask_file) === undefined);
    const masks = named.flatMap((annotation) => this.maskPath(annotation) ?? []);
    return {
      id: image.file_name,
      files: [this.imagePath(image), ...new Set(masks)],
      group: groupOf(image),
      annotation: JSON.stringify([image, annotations, [...this.categories], ...unusable]),
    };
  }

  private imagePath({ id, file_name }: CocoImage): string {
    return join(this.root, 'images', safeRelative(file_name, `${this.file}: image ${id}`));
  }

  private phraseOf({ caption, category_id }: CocoAnnotation): string | undefined {
    return caption === undefined ? this.categories.get(String(category_id)) : canonicalPhrase(caption);
  }

  private maskPath({ id, mask_file }: CocoAnnotation): string | undefined {
    if (mask_file === undefined) return undefined;
    return join(this.root, 'masks', safeRelative(mask_file, `${this.file}: annotation ${id}`));
  }

  /** Loads a sample, and each annotation with its object. */
  async loadWithAnnotations(index: number): Promise<LoadedAnnotations> {
    const entry = this.images[index] as CocoImage;
    const file = this.imagePath(entry);
    const [unusable] = this.unusable.get(String(entry.id)) ?? [];
    if (unusable !== undefined)
      throw new DataError({
        code: 'E_ANNOTATIONS_INVALID',
        where: this.file,
        what: unusable,
        fix: 'Mend the annotation, or take its image out',
      });
    const image = await decodeImage(file);
    const misfit = sizeMisfit(entry, image, this.file);
    if (misfit !== undefined)
      throw new DataError({
        code: 'E_ANNOTATIONS_SIZE',
        where: file,
        what: misfit,
        fix: 'Annotations are in pixels: bring the image back to the size at which it was annotated',
      });
    const annotations = this.byImage.get(String(entry.id)) ?? [];
    checkCount(annotations.length, image, file);
    const pairs = await Promise.all(
      annotations.map(async (annotation) => ({
        annotation,
        object: await objectOf(annotation, {
          image,
          phrase: this.phraseOf(annotation),
          maskPath: this.maskPath(annotation),
          file: this.file,
        }),
      })),
    );
    const objects = pairs.map(({ object }) => object);
    const present = [...new Set(objects.map(({ phrase }) => phrase))];
    const asked = entry.phrases?.map(canonicalPhrase) ?? (present.length > 0 ? present : [...this.categories.values()]);
    const phrases = [...new Set([...asked, ...present])];
    if (phrases.length === 0)
      throw new DataError({
        code: 'E_ANNOTATIONS_INVALID',
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
}

/** The image's group: patient, volume or whatever else identifies images that belong together. */
export function groupOf({ group, patient, volume }: CocoImage): string | undefined {
  const own = group ?? patient ?? volume;
  return own === undefined ? undefined : String(own);
}

/** Writes a dataset as one split in the project's layout, with a mask file for each object. */
export async function writeCoco(dataset: Dataset, root: string, split: Split): Promise<void> {
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
  await writeFileAtomic(join(root, 'annotations', `${split}.json`), `${JSON.stringify(file, null, 1)}\n`);
}
