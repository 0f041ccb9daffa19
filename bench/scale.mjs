/**
 * Makes the inputs for the measurements of docs/scaling.md.
 *
 *   node bench/scale.mjs phantoms DIR COUNT [WIDTH HEIGHT]   phantoms as PNG
 *   node bench/scale.mjs listing FILE COUNT                  a listing of a store that does not exist
 *   node bench/scale.mjs shards FROM TO COUNT SHARDS         shards of COUNT images, by repeating the results in FROM
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dist, prepare } from './lib/dist.mjs';

const [task, ...args] = process.argv.slice(2);
const tasks = { phantoms, listing, shards };
if (!(task in tasks)) throw new Error(`expected one of ${Object.keys(tasks).join(', ')}, got ${task}`);
await tasks[task](...args);

async function phantoms(dir, count, width = '640', height = '480') {
  await prepare();
  const { PhantomDataset, phantomDomains } = await dist('data/index.js');
  const { encodePng } = await dist('imaging/index.js');
  const domain = phantomDomains.standard;
  const dataset = new PhantomDataset({ size: Number(count), seed: 7, width: Number(width), height: Number(height), domain });
  await mkdir(dir, { recursive: true });
  for (let i = 0; i < Number(count); i++) await writeFile(join(dir, `${i}.png`), await encodePng((await dataset.load(i)).image));
}

async function listing(file, count) {
  const handle = await open(file, 'w');
  await handle.writeFile('image,below,etag,listed\n');
  for (let i = 0; i < Number(count); i += 1000) {
    const rows = Array.from({ length: 1000 }, (_, k) => {
      const key = `${(i + k) % 1000}/${String(i + k).padStart(9, '0')}.png`;
      return `s3://archive/scans/${key},${key},${createHash('md5').update(key).digest('hex')},s3://archive/scans/\n`;
    });
    await handle.writeFile(rows.join(''));
  }
  await handle.close();
}

async function shards(from, to, count, shardCount) {
  const entries = (await readFile(join(from, 'journal.jsonl'), 'utf8')).trim().split('\n').map(JSON.parse);
  const settings = JSON.parse(await readFile(join(from, 'settings.json'), 'utf8'));
  const each = Math.floor(Number(count) / Number(shardCount));
  const lineOf = (number) => {
    const { id: _, fileName: __, results, ...entry } = entries[number % entries.length];
    const id = `archive/2026/${String(number).padStart(9, '0')}`;
    const own = results.map((found) => ({ ...found, file_name: `${id}.png` }));
    return `${JSON.stringify({ id, fileName: `${id}.png`, ...entry, masks: 0, results: own })}\n`;
  };
  for (let s = 0; s < Number(shardCount); s++) {
    const dir = join(to, `${s}-of-${shardCount}`);
    await mkdir(dir, { recursive: true });
    const shard = { index: s, count: Number(shardCount) };
    const about = { ...settings, images: each, shard, list: 'repeated', results: 'parquet' };
    await writeFile(join(dir, 'settings.json'), JSON.stringify(about));
    const handle = await open(join(dir, 'journal.jsonl'), 'w');
    for (let i = 0; i < each; i += 1000) {
      const lines = Array.from({ length: Math.min(1000, each - i) }, (_, k) => lineOf(s * each + i + k));
      await handle.writeFile(lines.join(''));
    }
    await handle.close();
  }
}
