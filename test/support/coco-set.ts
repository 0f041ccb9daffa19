import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { generatePhantom, phantomDomains, type Sample } from '../../src/data/index.js';
import { maskToPng, type RasterImage } from '../../src/imaging/index.js';

/** One image of a dataset that a test makes. */
export interface SetImage {
  /** Its name under images/; the content is made by the ending unless `bytes` are given. */
  readonly file: string;
  readonly seed?: number;
  readonly bytes?: Buffer;
  readonly group?: string | number;
  readonly patient?: string;
  /** Changes to the first annotation. */
  readonly annotation?: object;
  /** Replaces the first mask. */
  readonly mask?: 'empty' | 'missing';
}

/** Phantoms take a while, and tests ask for the same ones. */
const drawn = new Map<number, Sample>();

/** The image of a seed: a phantom of 96 x 80 pixels. */
export function imageOfSeed(seed: number): Sample {
  const domain = phantomDomains['standard'];
  if (domain === undefined) throw new Error('the domain is there');
  const sample = drawn.get(seed) ?? generatePhantom(seed, { width: 96, height: 80, domain });
  drawn.set(seed, sample);
  return sample;
}

/** A sharp pipeline over an image. */
export function pipeline({ width, height, data }: RasterImage) {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** Writes a dataset in the project's layout, of phantoms with their first object. */
export async function writeSet(
  root: string,
  splits: Partial<Record<'train' | 'val' | 'test', readonly SetImage[]>>,
): Promise<void> {
  await Promise.all(['annotations', 'images', 'masks'].map((folder) => mkdir(join(root, folder), { recursive: true })));
  for (const [split, list] of Object.entries(splits)) {
    const images: object[] = [];
    const annotations: object[] = [];
    for (const [i, { file, seed = i, bytes, group, patient, annotation = {}, mask }] of list.entries()) {
      const { image, objects } = imageOfSeed(seed);
      await writeFile(join(root, 'images', file), bytes ?? (await pipeline(image).png().toBuffer()));
      images.push({
        id: i,
        file_name: file,
        ...(group === undefined ? {} : { group }),
        ...(patient === undefined ? {} : { patient }),
        phrases: ['lesion'],
      });
      const first = objects[0];
      if (first === undefined) continue;
      const [x0, y0, x1, y1] = first.boxXyxyPx;
      const mask_file = `${split}-${i}.png`;
      const shown = mask === 'empty' ? { ...first.mask, data: first.mask.data.map(() => 0) } : first.mask;
      if (mask !== 'missing') await writeFile(join(root, 'masks', mask_file), await maskToPng(shown));
      annotations.push({
        id: annotations.length,
        image_id: i,
        caption: 'lesion',
        bbox: [x0, y0, x1 - x0, y1 - y0],
        mask_file,
        ...annotation,
      });
    }
    await writeFile(join(root, 'annotations', `${split}.json`), JSON.stringify({ images, annotations, categories: [] }));
  }
}
