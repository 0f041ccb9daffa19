import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { blankOutside, decodeImage, type ImageSet, openImages, type RasterImage } from '../imaging/index.js';
import { DataError, writeFileAtomic } from '../util/index.js';
import { planPixels } from './clean-pixels.js';
import { requireBlank } from './deidentify-dicom.js';
import type { FileJob, WrittenFile } from './job.js';

/** At most. */
const LIMITS = { unpackedBytes: 1e9, pixels: 100_000_000 };

/**
 * Writes an image file, or each page of it, as PNG without metadata.
 *
 * @throws DataError when it is damaged, a volume, or shows no scan.
 */
export async function deidentifyImage(bytes: Uint8Array, job: FileJob): Promise<WrittenFile[]> {
  const { source, to, folder, name } = job;
  const set = await openSet(bytes, source);
  const written: WrittenFile[] = [];
  for (let page = 0; page < set.count; page++) {
    const before = await set.image(set.count === 1 ? undefined : set.address(page));
    const plan = planPixels([before], [], job.blank, source);
    const after: RasterImage = { width: before.width, height: before.height, data: Uint8Array.from(before.data) };
    blankOutside(after.data, plan.kept, 3, 0);
    const path = `${folder === '' ? '' : `${folder}/`}${name}${set.count === 1 ? '' : `-${page + 1}`}.png`;
    await writeFileAtomic(join(to, path), await barePng(after));
    const read = await decodeImage(join(to, path));
    try {
      requireBlank(read, plan.kept, source);
    } catch (error) {
      await rm(join(to, path), { force: true });
      throw error;
    }
    written.push({ path, kind: 'image', frames: 1, looked: 1, plan, before, after: read });
  }
  return written;
}

async function openSet(bytes: Uint8Array, source: string): Promise<ImageSet> {
  const set = await openImages(bytes, LIMITS, source).catch((cause: unknown) => {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError({
      code: cause.code,
      where: source,
      what: cause.what,
      ...(cause.fix === undefined ? {} : { fix: cause.fix }),
      cause,
    });
  });
  if (set.kind !== 'slices') return set;
  throw new DataError({
    code: 'E_DEIDENTIFY_KIND',
    where: source,
    what: 'it is a NIfTI volume, which is not de-identified',
    fix: 'Remove it from the folder; export its slices as images',
  });
}

/** A PNG without any chunk besides the pixels; grey if all pixels are. */
async function barePng({ width, height, data }: RasterImage): Promise<Buffer> {
  let grey = true;
  for (let i = 0; i < data.length && grey; i += 3) grey = data[i] === data[i + 1] && data[i] === data[i + 2];
  const picture = sharp(data, { raw: { width, height, channels: 3 } });
  return (grey ? picture.toColourspace('b-w') : picture).png().toBuffer();
}
