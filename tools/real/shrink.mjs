// Copies imported datasets with every image and mask downsampled to at most SIDE pixels, to train models with no larger input.
//
//   node tools/real/shrink.mjs data 256 data-256 busi cca usgra-seg
//
// Boxes and areas are scaled; a mask that vanishes is an error. Validation and test figures use the originals.
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';

const [from, sideText, to, ...names] = process.argv.slice(2);
const side = Number(sideText);
if (from === undefined || to === undefined || names.length === 0 || !Number.isInteger(side) || side < 32) {
  console.error('expected FROM SIDE TO NAME..., SIDE a whole number of pixels from 32 on; for instance: data 256 data-256 busi');
  process.exit(2);
}

const scaleOf = (width, height) => Math.min(1, side / Math.max(width, height));
const sizeOf = (width, height) => {
  const scale = scaleOf(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
};

async function resize(source, target, isMask) {
  const { width, height } = await sharp(source).metadata();
  const size = sizeOf(width, height);
  const resized = sharp(source).resize({ ...size, fit: 'fill', kernel: isMask ? 'nearest' : 'lanczos3' });
  if (!isMask) {
    await (source.endsWith('.png') ? resized.png() : resized.jpeg({ quality: 95 })).toFile(target);
    return;
  }
  const { data } = await resized.clone().toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  if (!data.some((value) => value > 0))
    throw new Error(`${source}: nothing is left of this mask at ${size.width}x${size.height}`);
  await resized.png().toFile(target);
}

for (const name of names) {
  const goal = join(to, name);
  const partial = `${goal}.partial`;
  for (const folder of ['annotations', 'images', 'masks']) await mkdir(join(partial, folder), { recursive: true });
  for (const folder of ['images', 'masks'])
    for (const file of await readdir(join(from, name, folder)))
      await resize(join(from, name, folder, file), join(partial, folder, file), folder === 'masks');
  for (const file of await readdir(join(from, name, 'annotations'))) {
    const part = JSON.parse(await readFile(join(from, name, 'annotations', file), 'utf8'));
    const scales = new Map();
    for (const image of part.images) {
      const size = sizeOf(image.width, image.height);
      scales.set(image.id, [size.width / image.width, size.height / image.height]);
      Object.assign(image, size);
    }
    for (const annotation of part.annotations) {
      const [x, y] = scales.get(annotation.image_id);
      const [left, top, width, height] = annotation.bbox;
      annotation.bbox = [left * x, top * y, width * x, height * y];
      annotation.area *= x * y;
    }
    await writeFile(join(partial, 'annotations', basename(file)), `${JSON.stringify(part)}\n`);
  }
  for (const file of ['report.json', 'splits.json']) await copyFile(join(from, name, file), join(partial, file));
  await rename(partial, goal);
  console.log(goal);
}
