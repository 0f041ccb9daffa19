import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng } from '../../src/imaging/index.js';
import type { CocoImages, CocoResult } from '../../src/infer/index.js';
import { runCommand, withNano } from '../support/command.js';
import { FakeStore, refuse } from '../support/fake-store.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tiffOfPages } from '../support/tiff.js';

const dir = temporaryFolder('infer-stores');
const fake = new FakeStore();
const before = { ...process.env };
/** Images by their keys below `scans/`. */
const pngs = new Map<string, Buffer>();
beforeAll(async () => {
  await fake.start();
  Object.assign(process.env, fake.env);
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 4, seed: 7, width: 90, height: 70, domain });
  for (const [i, key] of ['2.png', '10.png', 'left/a.png', 'left/b c+d.png'].entries())
    pngs.set(key, Buffer.from(await encodePng((await phantoms.load(i)).image)));
});
afterAll(() => {
  fake.stop();
  process.env = before;
});

/** Runs a command, `@` standing for the temporary folder. */
const run = (...words: string[]) => runCommand(words.map((word) => word.replaceAll('@', `${dir}/`)));
const infer = (out: string, ...words: string[]) => inferFrom('0.05', out, ...words);
const inferFrom = (threshold: string, out: string, ...words: string[]) =>
  run(...withNano(['infer', '--prompt', 'cyst. kidney.', '--threshold', threshold, '--out', `@${out}`, ...words]));
const filesOf = async (folder: string) =>
  (await readdir(join(dir, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, folder).length + 1))
    .sort();
const json = async <T>(name: string) => JSON.parse(await readFile(join(dir, name), 'utf8')) as T;
const table = async (name: string) => parquetReadObjects({ file: await asyncBufferFromFile(join(dir, name)) });
function fill(entries: Iterable<readonly [string, Buffer]>): void {
  fake.objects.clear();
  fake.faults.clear();
  fake.read.length = 0;
  fake.listings = 0;
  fake.page = 1000;
  for (const [key, bytes] of entries) fake.objects.set(key, bytes);
}
const inScans = () => [...pngs].map(([key, bytes]) => [`scans/${key}`, bytes] as const);

describe('infer on a folder of a store', () => {
  it('gives what it gives on a copy of the folder, byte for byte, and writes nothing else', async () => {
    for (const [key, bytes] of pngs) {
      await mkdir(join(dir, 'copy', key, '..'), { recursive: true });
      await writeFile(join(dir, 'copy', key), bytes);
    }
    expect((await infer('local', '--image', '@copy')).code).toBe(0);
    fill([
      ...inScans(),
      ['scans/readme.txt', Buffer.from('x')],
      ['scans/.hidden.png', Buffer.from('x')],
      ['scansB/x.png', Buffer.from('x')],
    ]);
    fake.page = 2;
    const seen = await infer('stored', '--image', 's3://archive/scans');
    expect([seen.code, seen.text]).toEqual([0, expect.stringMatching(/^4 images done/m)]);
    expect(seen.text).toMatch(/2 objects that are no images are left out/);
    expect(await filesOf('stored')).toEqual([...(await filesOf('local')), 'listing.csv'].sort());
    for (const name of await filesOf('local'))
      if (!/journal|settings/.test(name))
        expect((await readFile(join(dir, 'stored', name))).equals(await readFile(join(dir, 'local', name)))).toBe(true);
  });

  it('resumes without listing again or repeating what is finished', async () => {
    fill(inScans());
    await rm(join(dir, 'stored', 'overlays', '10.png'));
    const seen = await infer('stored', '--image', 's3://archive/scans');
    expect([seen.code, seen.text]).toEqual([0, expect.stringMatching(/^1 image done.*3 done before/m)]);
    expect([fake.listings, fake.read]).toEqual([0, ['scans/10.png']]);
    await rm(join(dir, 'stored', 'listing.csv'));
    fake.objects.set('scans/2.png', pngs.get('10.png') as Buffer);
    expect((await infer('stored', '--image', 's3://archive/scans')).text).toMatch(/^1 image done.*3 done before/m);
    expect(fake.read).toEqual(['scans/10.png', 'scans/2.png']);
  });

  it('names what cannot be read, does the others, and leads nowhere by the names of objects', async () => {
    const good = pngs.get('2.png') as Buffer;
    const odd = ['x/../../../up.png', 'x//../b.png', 'x/back\\..\\slash.png', 'x/nul\0.png', 'x/ä "q",;.png'];
    fill([
      ...odd.map((key) => [key, good] as const),
      ['x/broken.png', good.subarray(0, 300)],
      ['x/empty.png', Buffer.alloc(0)],
      ['x/secret.png', good],
    ]);
    fake.faults.set('x/secret.png', [refuse('AccessDenied', 403)]);
    const words = ['--image', 's3://archive/x/', 's3://archive/x/gone.png'];
    const seen = await infer('odd', ...words);
    expect([seen.code, seen.text]).toEqual([1, expect.stringMatching(/^5 images done/m)]);
    expect(seen.text).toMatch(/s3:\/\/archive\/x\/secret\.png: reading it is not allowed \(403\)/);
    expect(seen.text).toMatch(/s3:\/\/archive\/x\/gone\.png: there is no such object/);
    for (const name of ['broken', 'empty']) expect(seen.text).toMatch(new RegExp(`warning: s3://archive/x/${name}.png: `));
    expect((await filesOf('odd/overlays')).length).toBe(5);
    expect((await readdir(dir)).filter((name) => name.includes('up'))).toEqual([]);
    expect((await infer('odd', ...words)).text).toMatch(/^1 image done.*5 done before/m);
  });

  it('takes all images of an object that holds several, and resumes within it', async () => {
    const page = (step: number) => ({
      kind: 'uint16' as const,
      width: 80,
      height: 60,
      values: Array.from({ length: 80 * 60 }, (_, i) => (i * step) % 4096),
    });
    const clip = tiffOfPages([page(3), page(7), page(11)]);
    fill([['t/clip.tif', clip]]);
    const words = ['--image', 's3://archive/t/'];
    expect((await infer('clip', ...words)).text).toMatch(/^3 images done/m);
    expect((await json<CocoImages>('clip/images.json')).images.map(({ name, file_name }) => [name, file_name])).toEqual([
      ['clip_0', 'clip.tif#0'],
      ['clip_1', 'clip.tif#1'],
      ['clip_2', 'clip.tif#2'],
    ]);
    expect((await infer('clip', ...words)).text).toMatch(/^0 images done.*1 done before/m);
    await rm(join(dir, 'clip', 'overlays', 'clip_1.png'));
    expect((await infer('clip', ...words)).text).toMatch(/^1 image done/m);
    await writeFile(join(dir, 'one.txt'), 's3://archive/t/clip.tif#2\n');
    expect((await infer('one', '--list', '@one.txt')).text).toMatch(/^1 image done/m);
  });

  it('stops where no further object could be read', async () => {
    fill(inScans());
    fake.faults.set('scans/10.png', [refuse('InvalidAccessKeyId', 403)]);
    const seen = await infer('stopped', '--image', 's3://archive/scans/');
    expect([seen.code, seen.text]).toEqual([1, expect.stringMatching(/^error: http:.*the credentials are not accepted/m)]);
    expect((await infer('stopped', '--image', 's3://archive/scans/')).text).toMatch(/^3 images done.*1 done before/m);
  });

  it.each([
    ['a folder without images', ['--image', 's3://archive/none/'], 2, /there is no image here/],
    ['a bucket that is none', ['--image', 's3://Not_A/..'], 1, /no such bucket/],
    ['results in a store', ['--image', '@copy', '--out', 's3://archive/out'], 2, /--out: expected a folder/],
    ['no images at all', [], 2, /no image was named/],
    ['a column without a table', ['--image', '@copy', '--column', 'a'], 2, /--column: it is for a table/],
    ['a list that is missing', ['--list', '@gone.txt'], 1, /there is no such file/],
    ['a folder as a list', ['--list', '@copy'], 1, /it is a folder/],
  ])('refuses %s', async (_name, words, code, said) => {
    fill(inScans());
    const at = words.includes('--out') ? words : [...words, '--out', '@refused'];
    const seen = await run('infer', '--prompt', 'cyst', ...at);
    expect([seen.code, seen.text]).toEqual([code, expect.stringMatching(said)]);
    expect(seen.text).not.toMatch(/^\s+at /m);
  });
});

describe('infer --list', () => {
  it('takes lines of files and objects, relative to the list, and columns of tables', async () => {
    fill(inScans());
    await writeFile(join(dir, 'copy', 'all.txt'), '\uFEFF2.png\r\n\r\nleft/a.png\ns3://archive/scans/10.png\nleft/gone.png\n');
    const seen = await infer('listed', '--list', '@copy/all.txt');
    expect([seen.code, seen.text]).toEqual([1, expect.stringMatching(/^3 images done/m)]);
    expect(seen.text).toMatch(/left\/gone\.png: there is no such file/);
    const names = (await json<CocoImages>('listed/images.json')).images.map(({ file_name }) => file_name);
    expect(names).toEqual(['2.png', 'left/a.png', 'scans/10.png']);
    expect((await infer('listed', '--list', '@copy/all.txt')).text).toMatch(/^0 images done.*3 done before/m);

    await writeFile(join(dir, 'copy', 'all.csv'), 'patient;file_name;note\n1;"2.png";"a; b"\n2;left/a.png;\n');
    expect((await infer('rows', '--list', '@copy/all.csv')).text).toMatch(/^2 images done/m);
    await writeFile(join(dir, 'copy', 'two.csv'), 'path,image\n2.png,left/a.png\n');
    expect((await infer('rows', '--list', '@copy/two.csv')).text).toMatch(/not clear which column.*path, image/s);
    expect((await infer('column', '--list', '@copy/two.csv', '--column', 'Path')).text).toMatch(/^1 image done/m);
    expect((await infer('column', '--list', '@copy/two.csv', '--column', 'c')).text).toMatch(/has no column "c"/);
    await writeFile(join(dir, 'copy', 'bare.csv'), '2.png,1\nleft/a.png,2\n');
    expect((await infer('column', '--list', '@copy/bare.csv')).text).toMatch(/its first line names an image, not columns/);
    await writeFile(join(dir, 'copy', 'cut.csv'), 'image\n"2.png\n');
    expect((await infer('column', '--list', '@copy/cut.csv')).text).toMatch(/cannot be read as a table/);
    await writeFile(join(dir, 'copy', 'none.txt'), '\n\n');
    expect((await infer('column', '--list', '@copy/none.txt')).text).toMatch(/the list is empty/);
    expect((await infer('column', '--list', '@copy/2.png')).text).toMatch(/it is not a text file/);
  });
});

describe('infer --results parquet', () => {
  it('holds what results.json holds, an image without objects included, and no file for each image', async () => {
    fill([
      ...inScans(),
      [
        'scans/black.png',
        await sharp({ create: { width: 40, height: 30, channels: 3, background: '#000' } })
          .png()
          .toBuffer(),
      ],
    ]);
    await rm(join(dir, 'stored'), { recursive: true, force: true });
    const words = ['--image', 's3://archive/scans/'];
    await inferFrom('0.3', 'json', ...words);
    const seen = await inferFrom('0.3', 'parquet', ...words, '--results', 'parquet');
    expect(seen.text).toMatch(/results\.parquet/);
    expect(await filesOf('parquet')).toEqual([
      'images.parquet',
      'journal.jsonl',
      'listing.csv',
      'results.parquet',
      'settings.json',
    ]);
    const [coco, images] = [await json<CocoResult[]>('json/results.json'), (await json<CocoImages>('json/images.json')).images];
    const rows = await table('parquet/results.parquet');
    expect(coco.length).toBeGreaterThan(0);
    expect(rows).toEqual(
      coco.map(({ image_id, file_name, bbox, ...own }) => {
        const { name, width: image_width, height: image_height } = images[image_id - 1] as CocoImages['images'][number];
        const [left, top, width, height] = bbox;
        return {
          image: name,
          file_name,
          image_width,
          image_height,
          phrase: own.category,
          phrase_id: own.category_id,
          score: own.score,
          mask_score: own.mask_score,
          left,
          top,
          width,
          height,
          area: own.area,
          rle: own.segmentation?.counts,
          measures: own.measures ?? undefined,
          unmeasured: own.unmeasured,
        };
      }),
    );
    expect((await table('parquet/images.parquet')).map(({ image, objects }) => [image, objects])).toEqual(
      images.map(({ id, name }) => [name, coco.filter(({ image_id }) => image_id === id).length]),
    );
    expect((await inferFrom('0.3', 'parquet', ...words, '--results', 'parquet')).text).toMatch(/^0 images done.*5 done/m);
  });

  it('of shards is merged to the tables of one run; parts of other lists or forms are refused', async () => {
    fill(inScans());
    const words = ['--image', 's3://archive/scans/', '--results', 'parquet'];
    await infer('whole', ...words);
    for (const i of [1, 0]) expect((await infer('parts', ...words, '--shard', `${i}/2`)).code).toBe(0);
    // Listed once for the whole run, once for both shards.
    expect(fake.listings).toBe(2);
    expect(fake.read.length).toBe(2 * pngs.size);
    const parts = [0, 1].map((i) => `@parts/shards/${i}-of-2`);
    const merged = await run('merge', '--from', ...parts, '--to', '@parts');
    expect([merged.code, merged.text]).toEqual([
      0,
      expect.stringMatching(/^4 images, \d+ objects? found in total: .*results\.parquet/m),
    ]);
    expect(merged.text).toMatch(/shard 1\/2 on \S+: [\d.]+ images\/s; .* reading, .* computing, .* writing/);
    for (const name of ['results.parquet', 'images.parquet']) {
      const byName = (rows: Record<string, unknown>[]) => rows.map((row) => JSON.stringify(row)).sort();
      expect(byName(await table(`parts/${name}`))).toEqual(byName(await table(`whole/${name}`)));
    }
    expect((await infer('parts', ...words)).text).toMatch(/^0 images done.*4 done before/m);

    fake.objects.set('scans/new.png', pngs.get('2.png') as Buffer);
    await infer('other', ...words, '--shard', '0/2');
    const mixed = await run('merge', '--from', '@other/shards/0-of-2', '@parts/shards/1-of-2', '--to', '@mixed');
    expect([mixed.code, mixed.text]).toEqual([2, expect.stringMatching(/is a part of another list of images/)]);
    await infer('other', '--image', 's3://archive/scans/', '--shard', '1/2');
    const forms = await run('merge', '--from', '@other/shards/0-of-2', '@other/shards/1-of-2', '--to', '@mixed');
    expect([forms.code, forms.text]).toEqual([2, expect.stringMatching(/written in another form/)]);
  });
});
