/**
 * Creates the real images that come with the project, `examples/`, from two Creative Commons datasets.
 *
 *   npm run import-data -- --dataset hc18 --from DIR --to HC18 --splits configs/splits/hc18.json
 *   npm run import-data -- --dataset usgra-seg --from DIR --to USGRA --splits configs/splits/usgra-seg.json
 *   node tools/examples/make.mjs HC18 USGRA examples
 *
 * HC18: one image per subject, so that all have equal weight and none is in two splits; 60 of the train split, 20 of the val
 * split, 120 of the test split, supplemented by the rest of the val split. usgra-seg: the test split unchanged, and some of the
 * others for rehearsal. The importer puts copies into one group; one image per group is drawn.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import sharp from 'sharp';

const SEED = 18;
/** Long side of the images in the two sets, and of the single ones to try. Pixels. */
const SIDE = { sets: 256, single: 400 };
const JPEG = { quality: 84, mozjpeg: true };
const WANTED = { train: 60, val: 20, test: 120 };
const REHEARSED = { train: 48, val: 12 };
const SPLITS = /** @type {const} */ (['train', 'val', 'test']);

const [hc18, usgra, to] = process.argv.slice(2);
if (to === undefined) throw new Error('usage: make.mjs HC18 USGRA TO');

/** A platform-independent generator of numbers in [0, 1) (mulberry32). */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function shuffled(items, random) {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const k = Math.floor(random() * (i + 1));
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}

/** The images of an imported split, each with its annotations. */
async function readSplit(root, split) {
  const { images, annotations, categories, info } = JSON.parse(
    await readFile(join(root, 'annotations', `${split}.json`), 'utf8'),
  );
  const own = groupBy(annotations, ({ image_id }) => image_id);
  return { info, categories, entries: images.map((image) => ({ root, image, annotations: own.get(image.id) ?? [] })) };
}

/** One image of each group, in random order. */
function onePerGroup(entries, random) {
  const groups = [...groupBy(entries, ({ image }) => image.group).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return shuffled(groups, random).map(([, own]) => own[Math.floor(random() * own.length)]);
}

async function readSplits(root) {
  const splits = {};
  for (const split of SPLITS) splits[split] = await readSplit(root, split);
  return splits;
}

async function drawHc18(root) {
  const random = seeded(SEED);
  const splits = await readSplits(root);
  const drawn = Object.fromEntries(SPLITS.map((split) => [split, onePerGroup(splits[split].entries, random)]));
  return {
    ...splits.train,
    splits: {
      train: drawn.train.slice(0, WANTED.train),
      val: drawn.val.slice(0, WANTED.val),
      test: [...drawn.test, ...drawn.val.slice(WANTED.val)].slice(0, WANTED.test),
    },
  };
}

async function drawUsgra(root) {
  const random = seeded(SEED);
  const { train, val, test } = await readSplits(root);
  return {
    ...test,
    splits: {
      train: onePerGroup(train.entries, random).slice(0, REHEARSED.train),
      val: onePerGroup(val.entries, random).slice(0, REHEARSED.val),
      test: test.entries,
    },
  };
}

/** Foreground of a downsampled mask: pixels that were at least half set. */
async function reducedMask(file, size) {
  const { data } = await sharp(file)
    .extractChannel(0)
    .threshold(1)
    .resize({ ...size, fit: 'fill', kernel: 'linear' })
    .threshold(128)
    .raw()
    .toBuffer({ resolveWithObject: true });
  return data;
}

/** Bounding box [x, y, width, height] and number of the set pixels. */
function extent(mask, { width, height }) {
  let [left, top, right, bottom, area] = [width, height, -1, -1, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask[y * width + x] === 0) continue;
      area += 1;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return { bbox: [left, top, right - left + 1, bottom - top + 1], area };
}

/** Writes a downsampled dataset. Objects without any remaining pixel are dropped. */
async function writeSet(folder, { info, categories, splits }, side) {
  await rm(folder, { recursive: true, force: true });
  for (const name of ['annotations', 'images', 'masks']) await mkdir(join(folder, name), { recursive: true });
  for (const [split, entries] of Object.entries(splits)) {
    const images = [];
    const annotations = [];
    for (const { root, image, annotations: own } of entries.toSorted((a, b) =>
      a.image.file_name < b.image.file_name ? -1 : 1,
    )) {
      const scale = Math.min(1, side / Math.max(image.width, image.height));
      const size = { width: Math.round(image.width * scale), height: Math.round(image.height * scale) };
      const name = `${parse(image.file_name).name}.jpg`;
      await sharp(join(root, 'images', image.file_name))
        .greyscale()
        .resize({ ...size, fit: 'fill' })
        .jpeg(JPEG)
        .toFile(join(folder, 'images', name));
      const { pixel_spacing_mm: spacing, ...rest } = image;
      const id = images.length + 1;
      const mm = spacing?.map((value, i) =>
        Number((value * [image.width / size.width, image.height / size.height][i]).toFixed(6)),
      );
      images.push({ ...rest, id, file_name: name, ...size, ...(mm && { pixel_spacing_mm: mm }) });
      for (const annotation of own) {
        const mask = await reducedMask(join(root, 'masks', annotation.mask_file), size);
        const { bbox, area } = extent(mask, size);
        if (area === 0) continue;
        await sharp(mask, { raw: { ...size, channels: 1 } })
          .png({ palette: true, colours: 2, compressionLevel: 9 })
          .toFile(join(folder, 'masks', annotation.mask_file));
        annotations.push({ ...annotation, id: annotations.length + 1, image_id: id, bbox, area });
      }
    }
    const lines = (list) => `[\n${list.map((one) => JSON.stringify(one)).join(',\n')}\n]`;
    const about = { dataset: info.dataset, licence: 'CC BY 4.0', changes: `long side at most ${side} pixels, JPEG`, split };
    await writeFile(
      join(folder, 'annotations', `${split}.json`),
      `{"info": ${JSON.stringify(about)},\n"images": ${lines(images)},\n"annotations": ${lines(annotations)},\n"categories": ${JSON.stringify(categories)}}\n`,
    );
    process.stdout.write(`${folder} ${split}: ${images.length} images, ${annotations.length} objects\n`);
  }
}

const heads = await drawHc18(hc18);
await writeSet(join(to, 'hc18'), heads, SIDE.sets);
const nerves = await drawUsgra(usgra);
await writeSet(join(to, 'usgra-seg'), nerves, SIDE.sets);

// Single, larger images of the test splits.
const singles = [
  ...heads.splits.test.slice(0, 2).map((entry, i) => [`fetal-head-${i + 1}.jpg`, entry]),
  ...nerves.splits.test.slice(0, 2).map((entry, i) => [`nerve-and-vessel-${i + 1}.jpg`, entry]),
];
for (const [name, { root, image }] of singles) {
  await sharp(join(root, 'images', image.file_name))
    .greyscale()
    .resize({ width: SIDE.single, height: SIDE.single, fit: 'inside', withoutEnlargement: true })
    .jpeg(JPEG)
    .toFile(join(to, name));
  process.stdout.write(`${join(to, name)}: ${image.source}\n`);
}
