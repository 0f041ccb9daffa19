/**
 * Writes augmented copies of a dataset's training images for the U-Net, so that it trains with the same augmentations as our
 * models: TO/images/N.png and TO/masks/N.png, grey, SIDE pixels square, all objects of an image in one mask.
 *
 *   node bench/quality/augmented.mjs --data DIR/busi --to runs/unet/train [--copies 20] [--side 256] [--augment strong] [--seed 1]
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { augment, CocoDataset } from '../../dist/data/index.js';
import { Rng } from '../../dist/util/index.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    to: { type: 'string' },
    copies: { type: 'string', default: '20' },
    side: { type: 'string', default: '256' },
    augment: { type: 'string', default: 'strong' },
    seed: { type: 'string', default: '1' },
  },
});
const { data, to } = values;
const [copies, side, seed] = [values.copies, values.side, values.seed].map(Number);
if (data === undefined || to === undefined || ![copies, side].every((count) => count > 0)) {
  console.error('augmented: expected --data DIR and --to DIR, and integers above 0 for --copies and --side');
  process.exit(2);
}

const dataset = await CocoDataset.open(data, 'train');
for (const folder of ['images', 'masks']) await mkdir(join(to, folder), { recursive: true });
for (let index = 0; index < dataset.size; index++) {
  const sample = await dataset.load(index);
  for (let copy = 0; copy < copies; copy++) {
    const { image, objects } = augment(sample, values.augment, Rng.seeded(seed, index, copy));
    const { width, height } = image;
    const channels = image.data.length / (width * height);
    const union = new Uint8Array(width * height);
    for (const { mask } of objects) for (let i = 0; i < union.length; i++) if (mask.data[i] > 0) union[i] = 255;
    const name = `${index * copies + copy}.png`;
    await sharp(image.data, { raw: { width, height, channels } })
      .toColourspace('b-w')
      .resize(side, side, { fit: 'fill', kernel: 'linear' })
      .png({ compressionLevel: 1 })
      .toFile(join(to, 'images', name));
    await sharp(union, { raw: { width, height, channels: 1 } })
      .resize(side, side, { fit: 'fill', kernel: 'nearest' })
      .toColourspace('b-w')
      .png({ compressionLevel: 1 })
      .toFile(join(to, 'masks', name));
  }
}
console.log(`${dataset.size * copies} images in ${to}`);
