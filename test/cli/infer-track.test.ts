import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { generatePhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { decodeMask, decodeRle, encodePng, openClip } from '../../src/imaging/index.js';
import { runCommand, withNano } from '../support/command.js';
import { dicom } from '../support/dicom.js';
import { fixturePath } from '../support/golden-arrays.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const FRAMES = 4;
const SIZE = { width: 72, height: 60 };
const dir = temporaryFolder('track');
const domain = phantomDomains['standard'] as PhantomDomain;
const phantom = generatePhantomClip(2, { ...SIZE, domain, frames: FRAMES, leaves: false });
const PROMPT = ['--prompt', 'cyst. kidney. lesion', '--threshold', '0.02', '--select', 'best-per-phrase'];

beforeAll(async () => {
  const grey = async (i: number) => (await phantom.frame(i)).data.filter((_, k) => k % 3 === 0);
  const frames = await Promise.all(Array.from({ length: FRAMES }, (_, i) => grey(i)));
  await mkdir(join(dir, 'loops'));
  await writeFile(join(dir, 'loops', 'loop.dcm'), dicom({ ...SIZE, frames, more: { '00181063': { vr: 'DS', Value: ['50'] } } }));
  await mkdir(join(dir, 'loops', 'broken'));
  for (let i = 0; i < FRAMES; i++)
    await writeFile(join(dir, 'loops', 'broken', `f_${i}.png`), await encodePng(await phantom.frame(i)));
  await writeFile(join(dir, 'loops', 'broken', 'f_2.png'), await encodePng({ width: 9, height: 9, data: new Uint8Array(243) }));
});

const track = (...words: string[]) =>
  runCommand(withNano(['infer', '--track', ...words.map((word) => word.replaceAll('@', `${dir}/`))]));
const json = async (name: string) => JSON.parse(await readFile(join(dir, name), 'utf8'));

describe('infer --track', () => {
  it('writes an overlay clip, masks, COCO results with tracks and tracks.csv, and says how it tracked', async () => {
    const { code, text } = await track('--image', '@loops/loop.dcm', ...PROMPT, '--out', '@whole');
    expect(text).toMatch(/tracking by detection: the masker has no memory/);
    expect([code, text]).toEqual([0, expect.stringMatching(/1 clip done, 4 frames, [\d.]+ frames\/s; \d+ objects? followed/)]);
    const { videos, images } = await json('whole/images.json');
    expect(videos).toEqual([
      expect.objectContaining({ file_name: 'loop.dcm', frames: 4, done: 4, frameSeconds: 0.05, tracking: 'detection' }),
    ]);
    expect(images.map(({ file_name }: { file_name: string }) => file_name)).toEqual([0, 1, 2, 3].map((i) => `loop.dcm#${i}`));
    const results = await json('whole/results.json');
    expect(results.length).toBeGreaterThan(3);
    for (const { image_id, frame_id, track_id, segmentation, area } of results) {
      expect(image_id).toBe(frame_id + 1);
      const mask = await decodeMask(join(dir, 'whole', 'masks', 'loop', `${frame_id}_${track_id}.png`));
      expect(decodeRle(segmentation.counts, 72, 60)).toEqual(mask);
      expect(area).toBe(mask.data.reduce((sum, value) => sum + value, 0));
    }
    const overlay = await openClip(join(dir, 'whole', 'overlays', 'loop.webp'));
    expect([overlay.frames, overlay.frameSeconds]).toEqual([4, 0.05]);
    const [head, ...rows] = (await readFile(join(dir, 'whole', 'tracks.csv'), 'utf8')).trimEnd().split('\r\n');
    expect(head).toMatch(
      /^clip,frame,seconds,track,phrase,visible,detected,area_px,.*object_score,area_mm2,long_axis_mm,short_axis_mm$/,
    );
    expect(rows.length).toBeGreaterThanOrEqual(results.length);
    expect(rows.filter((row) => row.split(',')[5] === '1')).toHaveLength(results.length);
    expect(await readdir(join(dir, 'whole'))).not.toContain('.frames');
  });

  it('skips a finished clip, and does it again where its files are gone', async () => {
    const before = await stat(join(dir, 'whole', 'overlays', 'loop.webp'));
    const { code, text } = await track('--image', '@loops/loop.dcm', ...PROMPT, '--out', '@whole');
    expect([code, text]).toEqual([0, expect.stringContaining('1 clip done before')]);
    expect((await stat(join(dir, 'whole', 'overlays', 'loop.webp'))).mtimeMs).toBe(before.mtimeMs);
    await rm(join(dir, 'whole', 'overlays', 'loop.webp'));
    const again = await track('--image', '@loops/loop.dcm', ...PROMPT, '--out', '@whole');
    expect([again.code, again.text]).toEqual([0, expect.stringContaining('1 clip done, 4 frames')]);
  });

  it('is kept apart from results of single images, whichever came first', async () => {
    const before = await readFile(join(dir, 'whole', 'results.json'));
    const infer = (out: string) =>
      runCommand(withNano(['infer', '--image', join(dir, 'loops', 'broken'), ...PROMPT, '--out', join(dir, out)]));
    const refused = await infer('whole');
    expect(refused.code).toBe(2);
    expect(refused.text).toContain('it holds results of clips, not of images');
    expect(await readFile(join(dir, 'whole', 'results.json'))).toEqual(before);
    expect((await infer('images')).code).toBe(0);
    const second = await track('--image', '@loops/loop.dcm', ...PROMPT, '--out', '@images');
    expect(second.code).toBe(2);
    expect(second.text).toContain('it holds results of images, not of clips');
  });

  it('keeps the frames before one that cannot be read, names it, and goes on with the next clip', async () => {
    const { code, text } = await track('--image', '@loops', ...PROMPT, '--out', '@both');
    expect(code).toBe(1);
    expect(text).toMatch(/f_2\.png: frame 2 is 9x9 pixels/);
    expect(text).toMatch(/1 of 2 clips could not be read to their end/);
    const { videos } = await json('both/images.json');
    expect(videos).toEqual([
      expect.objectContaining({ name: 'broken', frames: 4, done: 2, problem: expect.stringContaining('frame 2') }),
      expect.objectContaining({ name: 'loop', done: 4 }),
    ]);
    expect((await openClip(join(dir, 'both', 'overlays', 'broken.webp'))).frames).toBe(2);
  });

  it('follows by the memory of a masker that has one', async () => {
    const { code, text } = await track(
      '--image',
      '@loops/loop.dcm',
      ...PROMPT,
      '--masker',
      fixturePath('sam2-video'),
      '--out',
      '@memory',
    );
    expect(text).toMatch(/tracking by the memory of/);
    expect(code).toBe(0);
    const { videos } = await json('memory/images.json');
    expect(videos[0]).toMatchObject({ done: 4, tracking: 'memory' });
    const rows = (await readFile(join(dir, 'memory', 'tracks.csv'), 'utf8')).trimEnd().split('\r\n').slice(1);
    // The detector looks at the first frame, and for what is out of sight on every third one.
    expect(new Set(rows.filter((row) => row.split(',')[6] === '1').map((row) => row.split(',')[1]))).not.toContain('1');
  });

  it.each([
    [['--image', '@loops', ...PROMPT, '--masker', 'none'], /--masker: .*mask/],
    [['--image', '@loops', ...PROMPT, '--every', '0'], /--every: expected a number of frames/],
    [['--image', '@loops', ...PROMPT, '--shard', '0/2'], /--shard: clips do not take it/],
    [['--image', '@nowhere', ...PROMPT], /nowhere: there is no such file/],
  ])('refuses %j', async (words, message) => {
    const { code, text } = await track(...words, '--out', '@none');
    expect(code).not.toBe(0);
    expect(text).toMatch(message);
  });
});
