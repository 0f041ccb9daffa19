import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodePng } from '../../src/imaging/index.js';
import { type BatchImage, type BatchOptions, type GroundedSegmenter, mergeBatches, runBatch } from '../../src/infer/index.js';
import { PixelSizes } from '../../src/measure/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { InUseError, type Logger } from '../../src/util/index.js';

let dir = '';
let out = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'outputs-'));
  out = join(dir, 'out');
  await mkdir(join(dir, 'in'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const [width, height] = [16, 12];

/** Finds the whole image, at once. */
const segmenter = {
  segment: async () => [
    {
      phrase: 'cyst',
      score: 0.9,
      boxXyxyPx: [0, 0, width, height],
      mask: { width, height, data: new Uint8Array(width * height).fill(1) },
    },
  ],
  dispose: () => {},
} as unknown as GroundedSegmenter;

async function image(id: string): Promise<BatchImage> {
  const path = join(dir, 'in', `${id}.png`);
  await writeFile(path, await encodePng({ width, height, data: new Uint8Array(width * height * 3).fill(90) }));
  return { path, id, fileName: `${id}.png` };
}

const batch = (images: readonly BatchImage[], more: Partial<BatchOptions> = {}) =>
  runBatch({
    images,
    settings: { prompts: ['cyst'], ...nanoModels, adapter: undefined, select: 'all', threshold: 0.1, nmsThreshold: 0.5 },
    out,
    load: async () => segmenter,
    ...more,
  });
const listed = async () => (await readdir(out, { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory()).map(({ name }) => name).sort(); // biome-ignore format: short
const imagesInResults = async () => (JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as { file_name: string }[]).map(({ file_name }) => file_name.replace('.png', '')); // biome-ignore format: short
const failure = (act: Promise<unknown>) => act.then(() => undefined, (error: unknown) => error as Error); // biome-ignore format: short

describe('a batch', () => {
  it.each([
    [['cyst', 'Zyste', 'опухоль'], []],
    [['cyst', '肿瘤'], [expect.stringMatching(/^overlays spell 肿 瘤 as codes \(U\+…\)/)]],
  ])('reports the letters of %j that overlays cannot render', async (prompts, expected) => {
    const warnings: string[] = [];
    const logger = { info: () => {}, warn: (line: string) => void warnings.push(line) } as unknown as Logger;
    const settings = {
      prompts,
      ...nanoModels,
      adapter: undefined,
      select: 'all',
      threshold: 0.1,
      nmsThreshold: 0.5,
    } as const;
    await batch([await image('a')], { settings, logger });
    expect(warnings).toEqual(expected);
  });

  it('measures masks in millimetres where the size of a pixel is known, and says why where it is not', async () => {
    const resultsOf = async () => JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as Record<string, unknown>[];
    const images = [await image('a')];
    await batch(images);
    const [plain] = await resultsOf();
    expect(plain).toMatchObject({ measures: null, unmeasured: 'the file does not say how large a pixel is' });
    // The given size is a setting: the image is measured again.
    const pixelSizes = PixelSizes.all([0.5, 0.25], '--mm-per-pixel');
    expect(await batch(images, { pixelSizes })).toMatchObject({ done: 1, skipped: 0 });
    const [result] = await resultsOf();
    expect(result).toMatchObject({
      measures: {
        version: 1,
        calibration: '--mm-per-pixel',
        spacing_mm: [0.5, 0.25],
        area_mm2: width * height * 0.125,
        depth: null,
      },
    });
    expect(result).not.toHaveProperty('unmeasured');
    expect(await batch(images, { pixelSizes })).toMatchObject({ done: 0, skipped: 1 });
  });

  it('is computed by one process: a second one into the same folder is refused before it loads anything', async () => {
    const images = [await image('a')];
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let end = () => {};
    const ending = new Promise<void>((resolve) => {
      end = resolve;
    });
    const first = batch(images, {
      load: async () => {
        begin();
        await ending;
        return segmenter;
      },
    });
    await begun;
    const second = await failure(batch(images, { load: () => Promise.reject(new Error('it was loaded')) }));
    const merged = await failure(mergeBatches({ from: [out], to: out }));
    end();
    expect(await first).toMatchObject({ done: 1, bad: [] });
    expect(second).toBeInstanceOf(InUseError);
    expect(merged).toBeInstanceOf(InUseError);
    expect(second?.message).toContain(`${out}: process ${process.pid} is writing results into it`);
    expect(await listed()).toEqual(['a.png', 'a_0.png', 'images.json', 'journal.jsonl', 'results.json', 'settings.json']);
  });

  it('writes files whose names are as long as they may be', async () => {
    const id = 'x'.repeat(240);
    expect(await batch([await image(id)])).toMatchObject({ done: 1, bad: [] });
    expect(await listed()).toEqual(['images.json', 'journal.jsonl', 'results.json', 'settings.json', `${id}.png`, `${id}_0.png`]);
  });

  it('continues after an image whose files cannot be written, and completes it once they can', async () => {
    const images = [await image('a'), await image('b'), { ...(await image('c')), id: 'y'.repeat(254) }, await image('d')];
    await mkdir(join(out, 'overlays', 'a.png', 'sub'), { recursive: true });
    const { done, bad } = await batch(images);
    expect([done, bad]).toEqual([
      2,
      [
        expect.stringContaining(`${join(out, 'overlays', 'a.png')}: it is a folder`),
        expect.stringContaining('the name is longer than this file system allows'),
      ],
    ]);
    expect(await imagesInResults()).toEqual(['b', 'd']);
    // Nothing half done is left.
    expect((await listed()).filter((name) => /^[ay]/.test(name))).toEqual([]);
    await rm(join(out, 'overlays', 'a.png'), { recursive: true });
    expect(await batch(images.slice(0, 2))).toMatchObject({ done: 1, skipped: 1, bad: [] });
    expect((await stat(join(out, 'overlays', 'a.png'))).isFile()).toBe(true);
  });

  it('stops at the first of them when asked to', async () => {
    await mkdir(join(out, 'overlays', 'a.png'), { recursive: true });
    const images = [await image('a'), await image('b'), await image('c')];
    expect((await failure(batch(images, { onBad: 'stop' })))?.message).toContain('it is a folder');
  });

  it('stops when the disk is full, naming it, and keeps what was done', async () => {
    if ((await stat('/dev/full').catch(() => undefined)) === undefined) return;
    const images = [await image('a'), await image('b'), await image('c')];
    await batch(images.slice(0, 1));
    const error = await failure(
      batch(images, {
        load: async () => {
          await rm(join(out, 'journal.jsonl'));
          await symlink('/dev/full', join(out, 'journal.jsonl'));
          return segmenter;
        },
      }),
    );
    expect(error?.message).toMatch(/journal\.jsonl: the disk is full \(.*\)\. Free some space/);
    expect(await imagesInResults()).toEqual(['a']);
  });

  it('says at once that its folder cannot be one', async () => {
    await mkdir(out);
    await writeFile(join(out, 'overlays'), '');
    const load = () => Promise.reject(new Error('it was loaded'));
    expect((await failure(batch([await image('a')], { load })))?.message).toContain('a part of the path is a file, not a folder');
  });

  it('removes the partial files of a killed process, and nothing else', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const places = ['', 'overlays', 'overlays/sub', 'masks'];
    for (const place of places) {
      await mkdir(join(out, place), { recursive: true });
      for (const name of [`.sonoground-${dead}-0123456789ab.tmp`, '.a.png.0123456789ab.tmp', '.mine.tmp', 'mine.tmp'])
        await writeFile(join(out, place, name), '');
    }
    await batch([await image('a')]);
    const tmp = (await listed()).filter((name) => name.endsWith('.tmp'));
    expect(tmp).toEqual([...places.map(() => '.mine.tmp'), ...places.map(() => 'mine.tmp')]);
  });

  it('names a path that is not a regular file instead of waiting for it', async () => {
    const path = join(dir, 'in', 'pipe.png');
    if (spawnSync('mkfifo', [path]).status !== 0) return;
    const { done, bad } = await batch([{ path, id: 'pipe', fileName: 'pipe.png' }, await image('a')]);
    expect([done, bad]).toEqual([1, [`${path}: it is not a file. Name image files, or folders that hold them`]]);
  });

  it.each(['../x', '/tmp/x', 'a/../../x', 'a\\..\\..\\x'])('refuses an id that leaves the folder: %s', async (id) => {
    const { path } = await image('a');
    expect((await failure(batch([{ path, id, fileName: 'a.png' }])))?.message).toMatch(/leads out of its folder|absolute path/);
    expect(await readdir(dir)).toEqual(['in', 'out']);
  });
});

describe('merge', () => {
  const to = () => join(dir, 'to', 'all');

  /** A part as infer makes it, changed by somebody. */
  async function part(change: (entry: Record<string, unknown>) => void): Promise<string> {
    await batch([await image('a')]);
    const file = join(out, 'journal.jsonl');
    const entry = JSON.parse(await readFile(file, 'utf8'));
    change(entry);
    await writeFile(file, `${JSON.stringify(entry)}\n`);
    return out;
  }

  it.each(['../../victim', '../victim', '/tmp/victim', 'a\\..\\..\\victim', '..', 'C:victim', 'a\0b'])(
    'writes nothing for a shard that names an image %j',
    async (id) => {
      await mkdir(join(dir, 'to', 'overlays'), { recursive: true });
      const from = await part((entry) => {
        entry['id'] = id;
      });
      const error = await failure(mergeBatches({ from: [from], to: to() }));
      expect(error?.message).toMatch(/journal\.jsonl, line 1: the name .* The folder was not filled by infer/);
      expect((await readdir(join(dir, 'to'), { recursive: true })).sort()).toEqual(['overlays']);
    },
  );

  it('does not count more masks than there are results', async () => {
    const from = await part((entry) => {
      entry['masks'] = 1e15;
    });
    expect(await mergeBatches({ from: [from], to: to() })).toMatchObject({
      images: 0,
      lacking: [`${from}: 0 of 1 images are done`],
    });
  });

  it.each([
    ['an overlay', 'overlays/a.png'],
    ['the journal', 'journal.jsonl'],
    ['the settings', 'settings.json'],
  ])('does not follow a link out of a shard: %s', async (_name, name) => {
    const from = await part(() => {});
    const content = await readFile(join(from, name));
    await writeFile(join(dir, 'secret'), content);
    await rm(join(from, name));
    await symlink(join(dir, 'secret'), join(from, name));
    expect((await failure(mergeBatches({ from: [from], to: to() })))?.message).toContain('is a link that leads out of');
  });

  it('does not read a pipe in the place of a file', async () => {
    const from = await part(() => {});
    await rm(join(from, 'overlays', 'a.png'));
    if (spawnSync('mkfifo', [join(from, 'overlays', 'a.png')]).status !== 0) return;
    expect((await failure(mergeBatches({ from: [from], to: to() })))?.message).toContain('it is not a file');
  });
});
