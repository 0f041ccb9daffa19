/**
 * Images decoded and augmented a second, and a second and core, by the number of worker threads. Needs no reference.
 *
 *   node bench/loader.mjs [image side] [images]
 *
 * PNG images of phantoms, in the layout of COCO, under the augmentations of the paper; start-up does not count.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { build } from '../scripts/lib/build.mjs';
import { root } from '../scripts/lib/places.mjs';

const [side = 512, images = 60] = process.argv.slice(2).map(Number);

await bootstrap();
await build();
const dist = (room) => import(pathToFileURL(join(root, 'dist', room, 'index.js')).href);
const { BatchLoader, PhantomDataset, phantomDomains, writeCoco } = await dist('data');
const { openRun, SampleThreads } = await dist('train');

const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
try {
  const phantoms = new PhantomDataset({ size: images, seed: 1, width: side, height: side, domain: phantomDomains.standard });
  for (const part of ['train', 'val', 'test'])
    await writeCoco(part === 'train' ? phantoms : { ...phantoms, size: 1, load: (i) => phantoms.load(i) }, folder, part);
  const [data] = await openRun({ format: 'coco', root: folder }, 1);
  for (const workers of [0, 1, 2, 4]) {
    const threads = SampleThreads.start(data.recipe, workers);
    const options = { batchSize: 4, shuffle: true, seed: 1, augment: 'paper', ...(threads && { source: threads.source }) };
    const loader = new BatchLoader(data.train, options);
    const pass = async (epoch) => {
      for await (const _ of loader.epoch(epoch));
    };
    await pass(0);
    const [begin, used] = [performance.now(), process.cpuUsage()];
    await pass(1);
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(used);
    const core = (user + system) / 1e6;
    console.log(
      `${workers} workers: ${(images / seconds).toFixed(1)} images/s, ${(images / core).toFixed(1)} images/s a core (${side}x${side}, ${availableParallelism()} cores)`,
    );
    await threads?.dispose();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
