import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { findImages } from '../../src/cli/images/find-images.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { decodeImage, decodeMask, decodeRle, encodePng, maskArea } from '../../src/imaging/index.js';
import type { CocoImages, CocoResult } from '../../src/infer/index.js';
import { ultrasoundModels } from '../../src/pretrained/index.js';
import { runCommand, withNano } from '../support/command.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const dir = temporaryFolder('infer');
beforeAll(async () => {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 4, seed: 7, width: 90, height: 70, domain });
  await mkdir(join(dir, 'scans', 'left'), { recursive: true });
  await mkdir(join(dir, 'scans', 'right'));
  for (const [i, name] of ['left/a.png', 'right/a.png', 'b.png', 'c.png'].entries())
    await writeFile(join(dir, 'scans', name), await encodePng((await phantoms.load(i)).image));
});

/** `@` stands for the temporary folder. */
const withModels = (words: readonly string[]) => withNano(words.map((word) => word.replaceAll('@', `${dir}/`)));

/** Runs `infer` and gives the exit code and what a person would see. */
const infer = (...words: string[]) => runCommand(['infer', ...withModels(words)]);

const results = async (out: string): Promise<CocoResult[]> =>
  JSON.parse(await readFile(join(dir, out, 'results.json'), 'utf8')) as CocoResult[];
const images = async (out: string): Promise<CocoImages> =>
  JSON.parse(await readFile(join(dir, out, 'images.json'), 'utf8')) as CocoImages;
/** The names of images that something was found in. */
const namesFound = async (out: string): Promise<string[]> => {
  const names = new Map((await images(out)).images.map(({ id, name }) => [id, name]));
  return [...new Set((await results(out)).map(({ image_id }) => names.get(image_id) ?? `no image ${image_id}`))];
};
const listing = async (folder: string) =>
  (await readdir(join(dir, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, folder).length + 1))
    .sort();
const LOW = ['--threshold', '0.05'];
const PROMPT = 'cyst. kidney. benign lesion.';

describe('infer', () => {
  it('writes an overlay for each image, a file for each mask, and one list in the format of COCO', async () => {
    const { code, text } = await infer('--image', '@scans', '--prompt', PROMPT, '--out', '@whole', ...LOW);
    expect([code, text]).toEqual([
      0,
      expect.stringMatching(/4 images done, [\d.]+ images\/s; \d+ objects? found in total: .*results\.json/),
    ]);
    const found = await results('whole');
    expect(found.length).toBeGreaterThan(3);
    const ids = ['b', 'c', 'left/a', 'right/a'];
    expect((await namesFound('whole')).filter((id) => !ids.includes(id))).toEqual([]);
    expect(await listing('whole/overlays')).toEqual(ids.map((id) => `${id}.png`));
    // What pycocotools needs to open images.json and to load results.json into it: integer ids, and an info.
    expect(await images('whole')).toEqual({
      info: { description: expect.any(String) },
      images: ids.map((name, i) => ({ id: i + 1, file_name: `${name}.png`, name, width: 90, height: 70 })),
      categories: ['cyst', 'kidney', 'benign lesion'].map((name, i) => ({ id: i + 1, name })),
      annotations: [],
    });
    const counts = new Map<string, number>();
    for (const result of found) {
      const name = ids[result.image_id - 1] as string;
      const k = counts.get(name) ?? 0;
      counts.set(name, k + 1);
      const { size, counts: runs } = result.segmentation as { size: readonly [number, number]; counts: string };
      expect(size).toEqual([70, 90]);
      const mask = decodeRle(runs, 90, 70);
      expect(mask).toEqual(await decodeMask(join(dir, 'whole', 'masks', `${name}_${k}.png`)));
      expect(result.area).toBe(maskArea(mask));
      expect(result.file_name).toBe(`${name}.png`);
      expect(result.category_id).toBe(['cyst', 'kidney', 'benign lesion'].indexOf(result.category) + 1);
      const [x, y, w, h] = result.bbox;
      expect(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 90.001 && y + h <= 70.001).toBe(true);
    }
    expect((await listing('whole/masks')).length).toBe(found.length);
    const overlay = await decodeImage(join(dir, 'whole', 'overlays', 'b.png'));
    expect([overlay.width, overlay.height]).toEqual([720, 560]);
  });

  it('segments by the shipped models where none are named', async () => {
    const line = ['--image', join(dir, 'scans', 'b.png'), '--prompt', PROMPT, ...LOW];
    const shipped = await runCommand(['infer', ...line, '--out', join(dir, 'shipped')]);
    expect([shipped.code, shipped.text]).toEqual([0, expect.stringMatching(/^1 image done/m)]);
    const named = ['--model', ultrasoundModels.detector, '--masker', ultrasoundModels.masker];
    await infer(...line, ...named, '--out', '@named');
    expect((await results('shipped')).length).toBeGreaterThan(0);
    expect(await results('shipped')).toEqual(await results('named'));
  });

  it('skips finished images, and repeats them on request', async () => {
    const line = ['--image', '@scans', '--prompt', PROMPT, '--out', '@whole', ...LOW];
    const before = await readFile(join(dir, 'whole', 'results.json'), 'utf8');
    const time = async () => (await stat(join(dir, 'whole', 'overlays', 'b.png'))).mtimeMs;
    const first = await time();
    expect((await infer(...line)).text).toMatch(/^0 images done.*4 done before/m);
    expect(await time()).toBe(first);
    await rm(join(dir, 'whole', 'overlays', 'c.png'));
    expect((await infer(...line)).text).toMatch(/^1 image done.*3 done before/m);
    expect((await infer(...line, '--overwrite')).text).toMatch(/^4 images done/m);
    expect(await time()).not.toBe(first);
    expect(await readFile(join(dir, 'whole', 'results.json'), 'utf8')).toBe(before);
  });

  it.each([
    ['prompt', ['--prompt', 'nerve.', ...LOW]],
    ['threshold', ['--prompt', PROMPT, '--threshold', '0.2']],
    ['selection', ['--prompt', PROMPT, ...LOW, '--select', 'best-per-phrase']],
    ['masker', ['--prompt', PROMPT, ...LOW, '--masker', 'none']],
    ['model', ['--prompt', PROMPT, ...LOW, '--model', '@copy']],
  ])('starts over when %s changes, and only then', async (_name, words) => {
    await cp('weights/nano-grounding-dino', join(dir, 'copy'), { recursive: true });
    await rm(join(dir, 'again'), { recursive: true, force: true });
    const line = ['--image', '@scans/*.png', '--out', '@again'];
    await infer(...line, '--prompt', PROMPT, ...LOW);
    const other = await infer(...line, ...words);
    expect([other.code, other.text]).toEqual([0, expect.stringMatching(/^2 images done/m)]);
    expect((await infer(...line, ...words)).text).toMatch(/^0 images done.*2 done before/m);
    const found = await results('again');
    const masks = found.filter(({ segmentation }) => segmentation !== undefined).length;
    expect((await listing('again/masks')).length).toBe(masks);
  });

  it('does an image again that has changed, and adds others to those that are there', async () => {
    await cp(join(dir, 'scans'), join(dir, 'moving'), { recursive: true });
    const line = (image: string) => ['--image', image, '--prompt', PROMPT, '--out', '@moved', ...LOW];
    await infer(...line('@moving/b.png'));
    await infer(...line('@moving/c.png'));
    expect(await namesFound('moved')).toEqual(['b', 'c']);
    await utimes(join(dir, 'moving', 'b.png'), new Date(), new Date(Date.now() + 5000));
    expect((await infer(...line('@moving/*.png'))).text).toMatch(/^1 image done.*1 done before/m);
    const other = await infer('--image', '@moving/c.png', '--prompt', 'nerve', '--out', '@moved', ...LOW);
    expect(other.text).toMatch(/1 images in .*moved were done with other settings and leave results\.json/);
    expect((await namesFound('moved')).filter((name) => name !== 'c')).toEqual([]);
  });

  it('runs each prompt separately', async () => {
    const one = ['--image', '@scans/b.png', ...LOW];
    await infer(...one, '--prompt', 'cyst', '--out', '@q1');
    await infer(...one, '--prompt', 'kidney. liver', '--out', '@q2');
    await infer(...one, '--prompt', 'cyst', '--prompt', 'kidney. liver', '--out', '@q3');
    const scores = async (out: string) => (await results(out)).map(({ category, score }) => [category, score]);
    const both = [...(await scores('q1')), ...(await scores('q2'))].sort((a, b) => Number(b[1]) - Number(a[1]));
    expect(both.length).toBeGreaterThan(1);
    expect(await scores('q3')).toEqual(both);
    expect((await infer(...one, '--prompt', 'cyst', '--prompt', 'Cyst.', '--out', '@q4')).text).toMatch(
      /"cyst" is asked for twice/,
    );
    await infer(...one, '--prompt', 'cyst', '--prompt', 'kidney. liver', '--out', '@q5', '--select', 'best-per-image');
    expect(await scores('q5')).toEqual(both.slice(0, 1));
  });

  it('names every image that cannot be read at the end, and does the others', async () => {
    await mkdir(join(dir, 'mixed'));
    const good = await readFile(join(dir, 'scans', 'b.png'));
    const content: [string, Buffer][] = [
      ['1.png', good],
      ['empty.png', Buffer.alloc(0)],
      ['text.jpg', Buffer.from('not an image')],
      ['truncated.png', good.subarray(0, good.length / 2)],
      ['z.png', good],
    ];
    for (const [name, bytes] of content) await writeFile(join(dir, 'mixed', name), bytes);
    const line = ['--image', '@mixed', '@mixed/gone.png', '--prompt', 'cyst', ...LOW];
    const { code, text } = await infer(...line, '--out', '@bad');
    expect(code).toBe(1);
    for (const name of ['empty.png', 'text.jpg', 'truncated.png', 'gone.png'])
      expect(text).toMatch(new RegExp(`warning: .*mixed/${name}: `));
    expect(text).toMatch(/4 of 6 images failed/);
    expect(text.indexOf('warning')).toBeGreaterThan(text.indexOf('2 images done'));
    expect(await listing('bad/overlays')).toEqual(['1.png', 'z.png']);
    const again = await infer(...line, '--out', '@bad');
    expect([again.code, again.text]).toEqual([1, expect.stringMatching(/^0 images done.*2 done before/m)]);

    const stopped = await infer(...line, '--out', '@stopped', '--on-bad', 'stop');
    expect([stopped.code, stopped.text]).toEqual([1, expect.stringMatching(/^error: .*empty\.png: it cannot be read/m)]);
    expect(await listing('stopped/overlays')).toEqual(['1.png']);
    expect((await namesFound('stopped')).filter((name) => name !== '1')).toEqual([]);
  });

  it.each([
    [
      'a threshold outside [0, 1]',
      ['--image', '@scans', '--prompt', 'cyst', '--threshold', '30'],
      2,
      '--threshold: expected a number from 0 to 1, got 30',
    ],
    [
      'a non-numeric threshold',
      ['--image', '@scans', '--prompt', 'cyst', '--threshold', 'high'],
      2,
      '--threshold: expected a number from 0 to 1, got NaN',
    ],
    ['a glob without a match', ['--image', '@scans/*.tif', '--prompt', 'cyst'], 2, 'there is no image here'],
    ['one empty prompt of two', ['--image', '@scans', '--prompt', 'cyst', '--prompt', ' .'], 2, '--prompt: it names nothing'],
    [
      'a missing masker',
      ['--image', '@scans', '--prompt', 'cyst', '--masker', '@gone'],
      1,
      'there is no such folder or weight file',
    ],
    ['an unknown selection', ['--image', '@scans', '--prompt', 'cyst', '--select', 'first'], 2, 'best-per-image'],
  ])('refuses %s', async (_name, words, code, said) => {
    const seen = await infer(...words, '--out', '@refused');
    expect([seen.code, seen.text]).toEqual([code, expect.stringContaining(said)]);
    expect(seen.text).not.toMatch(/^\s+at /m);
  });

  it('shows examples with --help', async () => {
    const { code, text } = await infer('--help');
    expect(code).toBe(0);
    expect(text.replace(/\s+/g, ' ')).toContain('npx sonoground infer --image scan.png --prompt');
  });
});

describe('the names of images', () => {
  const ids = async (names: string[], skip: string[] = []) =>
    (
      await findImages(
        names.map((name) => join(dir, name)),
        { skip: skip.map((name) => join(dir, name)) },
      )
    ).map(({ id }) => id);

  beforeAll(async () => {
    await mkdir(join(dir, 'names', 'out', 'overlays'), { recursive: true });
    for (const name of ['x.png', 'x.JPG', 'X.bmp', 'y.tiff', '.hidden.png', '._y.tiff', 'note.txt', 'out/overlays/x.png'])
      await writeFile(join(dir, 'names', name), '');
  });

  it('are paths below the folder or the fixed part of the glob', async () => {
    expect(await ids(['scans'])).toEqual(['b', 'c', 'left/a', 'right/a']);
    expect(await ids(['scans/*/a.png'])).toEqual(['left/a', 'right/a']);
    expect(await ids(['scans/left/*.png'])).toEqual(['a']);
    expect(await ids(['scans/b.png', 'gone.png'])).toEqual(['gone', 'b']);
  });

  it('never fall together', async () => {
    expect(await ids(['names'], ['names/out/overlays'])).toEqual(
      ['x-JPG', 'x-png', 'X-bmp', 'y'].sort((a, b) => a.localeCompare(b)).sort(),
    );
    const two = await ids(['scans/left/a.png', 'scans/right/a.png']);
    expect(two).toEqual([expect.stringMatching(/^a-[0-9a-f]{8}$/), expect.stringMatching(/^a-[0-9a-f]{8}$/)]);
    expect(new Set(two).size).toBe(2);
    expect(await ids(['scans', 'scans/b.png'])).toEqual(['b', 'c', 'left/a', 'right/a']);
  });
});

/** Starts the command as a person does. */
function start(words: string[], nodeOptions: string[] = []) {
  const line = [...nodeOptions, resolve('dist/command-line/index.js'), 'infer', ...withModels(words)];
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += String(chunk);
  });
  return {
    child,
    ended: new Promise<{ code: number | null; text: string }>((done) => child.on('close', (code) => done({ code, text }))),
  };
}

async function overlaysIn(out: string): Promise<number> {
  return (await readdir(join(dir, out, 'overlays')).catch(() => [])).filter((name) => !name.startsWith('.')).length;
}

describe('a stop', () => {
  const COPIES = 20;
  const line = (out: string) => ['--image', '@copies', '--prompt', PROMPT, '--out', out, ...LOW];

  beforeAll(async () => {
    await mkdir(join(dir, 'copies'));
    for (let i = 0; i < COPIES; i++) await cp(join(dir, 'scans', 'b.png'), join(dir, 'copies', `${i}.png`));
  });

  it('is not there: 20 copies of an image have 20 identical results', async () => {
    const { code, text } = await infer(...line('@all'));
    expect([code, text]).toEqual([0, expect.stringMatching(/^20 images done/m)]);
    const found = await results('all');
    const of = (id: number) =>
      found.filter(({ image_id }) => image_id === id + 1).map((result) => ({ ...result, image_id: 0, file_name: '' }));
    expect(of(0).length).toBeGreaterThan(0);
    for (let i = 1; i < COPIES; i++) expect(of(i)).toEqual(of(0));
    const overlay = (i: number) => readFile(join(dir, 'all', 'overlays', `${i}.png`));
    for (let i = 1; i < COPIES; i++) expect(await overlay(i)).toEqual(await overlay(0));
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s leaves valid files, and the same command resumes to the same result',
    async (signal) => {
      const out = `stop-${signal}`;
      const { child, ended } = start(line(`@${out}`));
      await until(async () => child.exitCode !== null || (await overlaysIn(out)) >= 5);
      child.kill(signal);
      const { code, text } = await ended;
      expect(code).toBe({ SIGKILL: null, SIGTERM: 143, SIGHUP: 129 }[signal]);
      if (signal !== 'SIGKILL') expect(text).toContain('the same command resumes');
      const partly = new Set((await results(out)).map(({ image_id }) => image_id)).size;
      const written = await overlaysIn(out);
      expect(written).toBeLessThan(COPIES);
      // A kill may come between an overlay and its line in the list; an orderly stop may not.
      expect(partly).toBeGreaterThanOrEqual(signal === 'SIGKILL' ? written - 1 : written);
      expect(partly).toBeGreaterThanOrEqual(4);
      const journal = join(dir, out, 'journal.jsonl');
      await writeFile(journal, `${await readFile(journal, 'utf8')}{"id": "half a li`);
      const rest = await infer(...line(`@${out}`));
      expect([rest.code, rest.text]).toEqual([0, expect.stringMatching(/ done before/)]);
      expect(await readFile(join(dir, out, 'results.json'), 'utf8')).toBe(
        await readFile(join(dir, 'all', 'results.json'), 'utf8'),
      );
      // What a kill left half written, and the lock, are gone too.
      expect(await listing(out)).toEqual(await listing('all'));
    },
  );
});
