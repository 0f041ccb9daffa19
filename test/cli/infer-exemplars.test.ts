import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { PhantomDataset, type PhantomDomain, phantomDomains, type Sample, writeCoco } from '../../src/data/index.js';
import { decodeMask, encodePng, maskArea, maskToPng, unionOfMasks } from '../../src/imaging/index.js';
import type { CocoResult } from '../../src/infer/index.js';
import { runCommand } from '../support/command.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('infer-exemplars');
const PHRASE = 'cyst';
const domain = phantomDomains['standard'] as PhantomDomain;
const phantoms = new PhantomDataset({ size: 60, seed: 11, width: 60, height: 44, domain });

/** Phantoms that show the structure. */
const shown: Sample[] = [];

/** Writes some of them as a folder of images and masks. */
async function writePairs(folder: string, samples: readonly Sample[]): Promise<void> {
  for (const sub of ['images', 'masks']) await mkdir(join(folder, sub), { recursive: true });
  for (const sample of samples) {
    const mask = unionOfMasks(sample.objects.filter(({ phrase }) => phrase === PHRASE).map((object) => object.mask));
    const name = `${shown.indexOf(sample)}.png`;
    await writeFile(join(folder, 'images', name), await encodePng(sample.image));
    await writeFile(join(folder, 'masks', name), await maskToPng(mask));
  }
}

beforeAll(async () => {
  for (let i = 0; i < phantoms.size; i++) {
    const sample = await phantoms.load(i);
    if (sample.objects.some(({ phrase }) => phrase === PHRASE)) shown.push(sample);
  }
  await mkdir(join(dir, 'model'));
  await copyFile(fixturePath('universeg', 'published.pt'), join(dir, 'model', 'weights.pt'));
  const config = { model_type: 'universeg', encoder_blocks: [[4, 6], [5, 7], [8, 9]], decoder_blocks: [[6, 5], [7, 4]] }; // biome-ignore format: one line
  await writeFile(join(dir, 'model', 'config.json'), JSON.stringify({ ...config, image_size: 16 }));
  await writePairs(join(dir, 'cyst'), shown.slice(0, 4));
  await mkdir(join(dir, 'scans'));
  for (const i of [4, 5]) await writeFile(join(dir, 'scans', `${i}.png`), await encodePng((shown[i] as Sample).image));
});

/** Runs `infer`, `@` standing for the temporary folder, and gives the exit code and what a person would see. */
const infer = (...words: string[]) => inferBy('@model', ...words);
const inferBy = (model: string, ...words: string[]) =>
  runCommand(['infer', '--model', model, ...words].map((word) => word.replaceAll('@', `${dir}/`)));
const results = async (out: string): Promise<CocoResult[]> =>
  JSON.parse(await readFile(join(dir, out, 'results.json'), 'utf8')) as CocoResult[];

describe('infer --exemplars', () => {
  it('writes the masks, overlays and lists that a prompt gives, under the name of the folder', async () => {
    const { code, text } = await infer('--exemplars', '@cyst', '--image', '@scans', '--out', '@out');
    expect([code, text]).toEqual([0, expect.stringContaining('"cyst" by 4 of 4 exemplars')]);
    const found = await results('out');
    expect(found.length).toBe(2);
    expect(found.every(({ category, score }) => category === 'cyst' && score > 0.5 && score <= 1)).toBe(true);
    expect((await readdir(join(dir, 'out', 'overlays'))).sort()).toEqual(['4.png', '5.png']);
    expect(maskArea(await decodeMask(join(dir, 'out', 'masks', '4_0.png')))).toBe(found[0]?.area);
  });

  it('resumes, and begins again when a mask among the exemplars or the draws have changed', async () => {
    const run = (...words: string[]) => infer('--exemplars', '@changing', '--image', '@scans', '--out', '@again', ...words);
    await cp(join(dir, 'cyst'), join(dir, 'changing'), { recursive: true });
    expect((await run('--label', 'cyst')).text).toContain('2 images done');
    expect((await run('--label', 'cyst')).text).toContain('2 done before');
    expect((await run('--label', 'cyst', '--support', '2', '--draws', '2')).text).toContain('2 images done');
    const before = await results('again');
    await copyFile(join(dir, 'cyst', 'masks', '0.png'), join(dir, 'changing', 'masks', '1.png'));
    const { text } = await run('--label', 'cyst', '--support', '2', '--draws', '2');
    expect(text).toContain('2 images done');
    expect(await results('again')).not.toEqual(before);
  });

  it('takes one structure of a dataset with annotations', async () => {
    const both = new PhantomDataset({ size: 40, seed: 3, width: 60, height: 44, domain, phrases: ['cyst', 'kidney'] });
    await writeCoco(both, join(dir, 'annotated'), 'train');
    const run = (...words: string[]) => infer('--exemplars', '@annotated', '--image', '@scans', '--out', '@coco', ...words);
    const unnamed = await run();
    expect([unnamed.code, unnamed.text]).toEqual([2, expect.stringMatching(/name 2 structures.*--label with one of/)]);
    const other = await run('--label', 'nerve');
    expect([other.code, other.text]).toEqual([2, expect.stringMatching(/show no "nerve".*cyst.*kidney|kidney.*cyst/)]);
    expect(await run('--label', 'kidney')).toEqual({ code: 0, text: expect.stringMatching(/"kidney" by \d+ of \d+ exemplars/) });
  });

  it('refuses an image that is an exemplar, by its content, and continues with the others', async () => {
    await mkdir(join(dir, 'mixed'));
    await copyFile(join(dir, 'cyst', 'images', '2.png'), join(dir, 'mixed', 'renamed.png'));
    await copyFile(join(dir, 'scans', '4.png'), join(dir, 'mixed', 'a.png'));
    const { code, text } = await infer('--exemplars', '@cyst', '--image', '@mixed', '--out', '@mixed-out');
    expect(code).toBe(1);
    expect(text).toMatch(/renamed\.png: it is one of the exemplars/);
    expect((await results('mixed-out')).map(({ file_name }) => file_name)).toEqual(['a.png']);
  });

  it('refuses exemplars without a mask, an image without its mask, and a missing folder', async () => {
    await writePairs(join(dir, 'blank'), shown.slice(0, 1));
    const blank = { width: 60, height: 44, data: new Uint8Array(60 * 44) };
    await writeFile(join(dir, 'blank', 'masks', '0.png'), await maskToPng(blank));
    await writePairs(join(dir, 'lacking'), shown.slice(0, 2));
    await rm(join(dir, 'lacking', 'masks', '1.png'));
    const run = async (folder: string) => {
      const { code, text } = await infer('--exemplars', folder, '--image', '@scans', '--out', '@none');
      return [code, text];
    };
    expect(await run('@blank')).toEqual([1, expect.stringMatching(/blank: none of its 1 images shows anything/)]);
    expect(await run('@lacking')).toEqual([1, expect.stringMatching(/1\.png: there is no mask of that name/)]);
    expect(await run('@missing')).toEqual([1, expect.stringMatching(/missing: there is no such folder/)]);
  });

  it('refuses a prompt, options of prompts, and draws that do not fit; and exemplars for prompts', async () => {
    const run = async (...words: string[]) => {
      const { code, text } = await infer('--image', '@scans', '--out', '@none', ...words);
      return [code, text];
    };
    const conflict = (option: string) => [2, expect.stringMatching(new RegExp(`--${option}: it is for prompts`))];
    expect(await run('--exemplars', '@cyst', '--prompt', 'cyst')).toEqual(conflict('prompt'));
    expect(await run('--exemplars', '@cyst', '--threshold', '0.1')).toEqual(conflict('threshold'));
    expect(await run('--exemplars', '@cyst', '--support', '9')).toEqual([
      2,
      expect.stringContaining('9 exemplars were asked for'),
    ]);
    expect(await run('--prompt', 'cyst', '--draws', '3')).toEqual([2, expect.stringMatching(/--draws: it is for exemplars/)]);
    expect(await run()).toEqual([2, expect.stringMatching(/--prompt: neither a prompt nor exemplars/)]);
  });

  it('refuses the weights of another model', async () => {
    const { code, text } = await inferBy(
      fixturePath('sam-windows'),
      '--exemplars',
      '@cyst',
      '--image',
      '@scans',
      '--out',
      '@none',
    );
    expect([code, text]).toEqual([1, expect.stringMatching(/expected model_type universeg, got "?sam/)]);
  });

  it('takes UniverSeg as a method, with its weights', async () => {
    const named = ['--method', 'universeg', '--weights', 'universeg=@model'].map((word) => word.replace('@', `${dir}/`));
    const words = ['--exemplars', join(dir, 'cyst'), '--image', join(dir, 'scans'), '--out', join(dir, 'by-method')];
    const { code, text } = await runCommand(['infer', ...named, ...words]);
    expect([code, text]).toEqual([0, expect.stringContaining('2 images done')]);
    await infer('--exemplars', '@cyst', '--image', '@scans', '--out', '@by-model');
    expect(await results('by-method')).toEqual(await results('by-model'));
  });

  it('segments by the shipped UniverSeg where no model is named', async () => {
    const out = join(dir, 'by-shipped');
    const { code, text } = await runCommand(['infer', '--exemplars', join(dir, 'cyst'), '--image', join(dir, 'scans'), '--out', out]); // biome-ignore format: one line
    expect([code, text]).toEqual([0, expect.stringMatching(/images done/)]);
    expect(text).not.toContain('random');
  });
});
