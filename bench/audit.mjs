/**
 * Audits a dataset of small generated images: time with an empty and with a full cache, and peak memory.
 *
 *   node bench/audit.mjs [images]
 *
 * A tenth of the images is audited first, to show how memory grows. Every reported pair is a false positive: no image repeats.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { build } from '../scripts/lib/build.mjs';
import { root } from '../scripts/lib/places.mjs';

const SIDE = 128;
const [first = '10000', ...rest] = process.argv.slice(2);

if (first === '--audit') await audit(...rest);
else await bench(Number(first));

async function bench(count) {
  await bootstrap();
  await build();
  const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
  try {
    for (const n of [Math.ceil(count / 10), count]) {
      const data = join(folder, `set-${n}`);
      await generate(data, n);
      for (const what of ['nothing known', 'everything known']) {
        const { stdout, stderr, status } = spawnSync(
          process.execPath,
          [fileURLToPath(import.meta.url), '--audit', data, join(folder, 'cache')],
          { encoding: 'utf8' },
        );
        if (status !== 0) throw new Error(stderr);
        const { seconds, peakMb, pairs, cached } = JSON.parse(stdout);
        console.log(
          `${n} images of ${SIDE}x${SIDE}, ${what}: ${seconds.toFixed(1)} s, peak memory ${peakMb.toFixed(0)} MB, ${cached} from the cache, ${pairs} false positives`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function audit(data, cacheDirectory) {
  const { auditDatasets, openFolders } = await import(pathToFileURL(join(root, 'dist', 'data', 'index.js')).href);
  const start = performance.now();
  const { parts, problems } = await openFolders([data]);
  const report = await auditDatasets(parts, { problems, cacheDirectory });
  const seconds = (performance.now() - start) / 1000;
  const peakMb = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(JSON.stringify({ seconds, peakMb, pairs: report.duplicates.length, cached: report.cached }));
}

/** Pictures of soft structures under grain, every second one in the same fan, as sector probes make them. */
async function generate(data, count) {
  const { Rng } = await import(pathToFileURL(join(root, 'dist', 'util', 'index.js')).href);
  for (const name of ['annotations', 'images', 'masks']) mkdirSync(join(data, name), { recursive: true });
  const counts = { train: Math.floor(count * 0.7), val: Math.floor(count * 0.2) };
  counts.test = count - counts.train - counts.val;
  const fan = fanOf();
  let seed = 0;
  for (const [part, size] of Object.entries(counts)) {
    const images = [];
    const annotations = [];
    for (let id = 0; id < size; id++, seed++) {
      const rng = Rng.seeded(seed, 5);
      const coarse = Buffer.from(Array.from({ length: 144 }, () => rng.int(200)));
      const raw = { raw: { width: 12, height: 12, channels: 1 } };
      const soft = await sharp(coarse, raw).resize(SIDE, SIDE, { kernel: 'cubic' }).toColourspace('b-w').raw().toBuffer();
      const pixels = soft.map((value, i) =>
        seed % 2 === 1 && fan[i] === 0 ? 0 : Math.max(0, Math.min(255, value * (0.6 + rng.uniform() * 0.8))),
      );
      const file_name = `${part}-${id}.png`;
      const grey = { raw: { width: SIDE, height: SIDE, channels: 1 } };
      await sharp(Buffer.from(pixels), grey)
        .toColourspace('b-w')
        .png()
        .toFile(join(data, 'images', file_name));
      const [x, y] = [rng.int(80), rng.int(80)];
      const mask = Buffer.alloc(SIDE * SIDE);
      for (let row = y; row < y + 40; row++) mask.fill(255, row * SIDE + x, row * SIDE + x + 40);
      await sharp(mask, grey)
        .toColourspace('b-w')
        .png()
        .toFile(join(data, 'masks', file_name));
      images.push({ id, file_name, group: `P${seed}`, phrases: ['lesion'] });
      annotations.push({ id, image_id: id, caption: 'lesion', bbox: [x, y, 40, 40], mask_file: file_name });
    }
    writeFileSync(join(data, 'annotations', `${part}.json`), JSON.stringify({ images, annotations, categories: [] }));
  }
}

function fanOf() {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) / SIDE - 0.5, Math.floor(i / SIDE) / SIDE + 0.25];
    const radius = Math.hypot(x, y);
    return Number(radius > 0.35 && radius < 1.2 && Math.abs(Math.atan2(x, y)) < 0.45);
  });
}
