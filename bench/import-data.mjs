/**
 * Imports generated images and masks: time and peak memory for several numbers of images, in worker threads and without.
 *
 *   node bench/import-data.mjs [--images 1000,10000] [--size 480x360]
 *
 * Memory is flat when the peak does not grow with the number of images.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { build } from '../scripts/lib/build.mjs';
import { root } from '../scripts/lib/places.mjs';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000,10000' },
    size: { type: 'string', default: '480x360' },
    // What a child process does.
    from: { type: 'string' },
    to: { type: 'string' },
  },
});

/** Different images; more of them are copies, which cost an import the same. */
const DRAWN = 50;

if (values.from !== undefined) {
  const { importDataset } = await import(pathToFileURL(join(root, 'dist', 'data', 'index.js')).href);
  const began = performance.now();
  await importDataset({ dataset: 'folders', from: values.from, to: values.to, prompts: ['lesion'] });
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(JSON.stringify({ seconds, peakMb: process.resourceUsage().maxRSS / 1024 }));
} else {
  await bootstrap();
  await build();
  const [width, height] = values.size.split('x').map(Number);
  process.stdout.write(`${width}x${height}, ${availableParallelism()} threads\n`);
  const dir = await mkdtemp(join(tmpdir(), 'sonoground-import-'));
  try {
    for (const count of values.images.split(',').map(Number)) {
      const from = join(dir, `from-${count}`);
      await generate(from, count, width, height);
      const first = await run(from, join(dir, `to-${count}`));
      const again = await run(from, join(dir, `to-${count}`));
      process.stdout.write(
        `${count} images: ${first.seconds.toFixed(1)} s, ${((first.seconds * 1000) / count).toFixed(2)} ms an image, peak ${first.peakMb.toFixed(0)} MB; again, nothing to do: ${again.seconds.toFixed(1)} s, peak ${again.peakMb.toFixed(0)} MB\n`,
      );
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function generate(from, count, width, height) {
  await mkdir(join(from, 'images'), { recursive: true });
  await mkdir(join(from, 'masks'), { recursive: true });
  for (let n = 0; n < count; n++) {
    const [image, mask] = ['images', 'masks'].map((folder) => join(from, folder, `${n}.png`));
    if (n >= DRAWN) {
      await cp(join(from, 'images', `${n % DRAWN}.png`), image);
      await cp(join(from, 'masks', `${n % DRAWN}.png`), mask);
      continue;
    }
    const grey = Buffer.from(Array.from({ length: width * height }, (_, i) => (i * 2654435761 * (n + 1)) >>> 24));
    await writeFile(
      image,
      await sharp(grey, { raw: { width, height, channels: 1 } })
        .png()
        .toBuffer(),
    );
    const shapes = `<ellipse cx="${width * 0.3}" cy="${height * 0.5}" rx="${width * 0.2}" ry="${height * 0.2 + n}" fill="#fff"/><circle cx="${width * 0.8}" cy="${height * 0.3}" r="20" fill="#fff"/>`;
    const drawn = sharp(Buffer.from(`<svg width="${width}" height="${height}">${shapes}</svg>`));
    await writeFile(mask, await drawn.flatten({ background: '#000' }).greyscale().png().toBuffer());
  }
}

function run(from, to) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [import.meta.filename ?? process.argv[1], '--from', from, '--to', to], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the import ended with ${code}`))));
  });
}
