/**
 * Distances of copies of an image, and of unrelated images: the evidence for the threshold of `src/data/audit/twins.ts`.
 *
 *   node bench/same-picture.mjs [folder of STU]
 *
 * Prints, for phantoms of both domains and, if their folder is given, the STU images, with and without a sector drawn over them,
 * how many of 255 signs differ between unrelated images and between an image and its changed copies.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { build } from '../scripts/lib/build.mjs';
import { root } from '../scripts/lib/places.mjs';

/** Phantoms of each domain, and copies made of each kind. */
const [PHANTOMS, COPIES] = [150, 42];

await bootstrap();
await build();
const load = (room) => import(pathToFileURL(join(root, 'dist', room)).href);
const { fingerprintOf, MIRRORS, wordsOf } = await load('data/audit/fingerprint.js');
const { PhantomDataset, phantomDomains, StuDataset } = await load('data/index.js');
const { decodeImage } = await load('imaging/index.js');

const resized =
  (across, down) =>
  (picture, { width, height }) =>
    picture.resize(Math.round(width * across), Math.round(height * down), { fit: 'fill' });
const cut =
  (share) =>
  (picture, { width, height }) =>
    picture.extract({
      left: Math.round(width * share),
      top: Math.round(height * share),
      width: Math.round(width * (1 - 2 * share)),
      height: Math.round(height * (1 - 2 * share)),
    });
const CHANGES = {
  'mirrored left-right': (picture) => picture.flop(),
  'mirrored up-down': (picture) => picture.flip(),
  'JPEG of quality 75': (picture) => picture.jpeg({ quality: 75 }),
  'JPEG of quality 30': (picture) => picture.jpeg({ quality: 30 }),
  '30 levels brighter': (picture) => picture.linear(1, 30),
  '60 levels brighter': (picture) => picture.linear(1, 60),
  'contrast x 1.3': (picture) => picture.linear(1.3, -20),
  'contrast x 0.6': (picture) => picture.linear(0.6, 20),
  'gamma 1.6': (picture) => picture.gamma(1.6),
  'mirrored, x 1.2 + 20, JPEG of quality 60': (picture) => picture.flop().linear(1.2, 20).jpeg({ quality: 60 }),
  '90 %': resized(0.9, 0.9),
  '110 % x 105 %': resized(1.1, 1.05),
  'half the size': resized(0.5, 0.5),
  '30 levels darker': (picture) => picture.linear(1, -30),
  '1 % cut off each side': cut(0.01),
  '2 % cut off each side': cut(0.02),
};

const sets = {};
for (const domain of ['standard', 'shifted']) {
  const data = new PhantomDataset({ size: PHANTOMS, seed: 7, width: 128, height: 128, domain: phantomDomains[domain] });
  sets[`phantoms, ${domain}`] = await imagesOf(data);
}
if (process.argv[2] !== undefined) sets.STU = await imagesOf(await StuDataset.open(process.argv[2], { phrase: 'lesion' }));

for (const [name, images] of Object.entries(sets)) {
  await compare(name, images);
  await compare(`${name}, behind a sector`, images.map(behindSector));
}

async function imagesOf(data) {
  const images = [];
  for (let i = 0; i < data.size; i++) images.push((await data.load(i)).image);
  return images;
}

async function compare(name, images) {
  const prints = images.map((image) => fingerprintOf(image).signs).map((signs) => signs && wordsOf(signs));
  const unrelated = prints.flatMap((a, i) => prints.slice(0, i).flatMap((b) => (a && b ? [distance(a, b)] : [])));
  console.log(`${name}: ${images.length} images; unrelated: ${spread(unrelated)}`);
  for (const [change, make] of Object.entries(CHANGES)) {
    const found = [];
    for (const [i, image] of images.slice(0, COPIES).entries()) {
      const picture = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });
      const made = make(picture, image);
      const bytes = await (change.includes('JPEG') ? made : made.png()).toBuffer();
      const signs = fingerprintOf(await decodeImage(bytes)).signs;
      if (prints[i] && signs) found.push(distance(prints[i], wordsOf(signs)));
    }
    console.log(`  ${change}: ${spread(found)}`);
  }
}

function distance(a, b) {
  return Math.min(...MIRRORS.map((mirror) => a.reduce((sum, word, i) => sum + ones(word ^ b[i] ^ mirror[i]), 0)));
}

function ones(word) {
  let count = 0;
  for (let rest = word >>> 0; rest > 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return `${sorted.length} pairs, smallest ${sorted[0]}, median ${sorted[sorted.length >> 1]}, largest ${sorted.at(-1)}`;
}

/** A sector probe's outline over an image. */
function behindSector({ width, height, data }) {
  const out = Uint8Array.from(data);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [across, down] = [x / width - 0.5, y / height + 0.25];
      const radius = Math.hypot(across, down);
      if (radius > 0.35 && radius < 1.2 && Math.abs(Math.atan2(across, down)) < 0.45) continue;
      out.fill(0, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  return { width, height, data: out };
}
