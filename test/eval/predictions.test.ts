import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { Sample } from '../../src/data/index.js';
import { collect, MaskFolderMethod, summariseProtocol } from '../../src/eval/index.js';
import { AnswerCache, imageFingerprint, ModelMethod, modelFingerprint } from '../../src/eval/predictions/index.js';
import { type BinaryMask, maskToPng } from '../../src/imaging/index.js';
import { type Answer, WHOLE } from '../../src/protocols/index.js';
import { answered, datasetOf, object, plain, rectangle, sample } from '../support/eval.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-predictions-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function put(name: string, mask: BinaryMask): Promise<void> {
  const file = join(dir, name);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, await maskToPng(mask));
}

describe('masks of other methods', () => {
  const lesion = sample('img.1', [object('lesion', [4, 4, 12, 12])], { file: '/data/busi/Img.1.PNG' });

  it('are found by the name of the image, in a folder of the dataset or without, whatever the case', async () => {
    await put('toys/IMG.1.png', rectangle([4, 4, 12, 12]));
    const [box] = await (await MaskFolderMethod.open(dir)).answer(lesion, ['lesion']);
    expect(box).toMatchObject({ phrase: 'lesion', boxXyxyPx: [4, 4, 12, 12] });
    await rm(join(dir, 'toys'), { recursive: true });
    await put('img.1.png', rectangle([5, 4, 12, 12]));
    expect((await (await MaskFolderMethod.open(dir)).answer(lesion, ['lesion']))[0]?.boxXyxyPx).toEqual([5, 4, 12, 12]);
    expect(await (await MaskFolderMethod.open(dir)).answer({ ...lesion, id: 'img.2', file: 'img.2.png' }, ['lesion'])).toEqual(
      [],
    );
  });

  it('stand for everything, unless their names say for what', async () => {
    const two = sample('two', [object('benign lesion', [2, 2, 9, 9]), object('cyst', [20, 10, 30, 20])]);
    await put('two.png', rectangle([2, 2, 30, 20]));
    const whole = await MaskFolderMethod.open(dir);
    expect((await whole.answer(two, two.phrases)).map(({ phrase }) => phrase)).toEqual([WHOLE]);
    const collected = await collect([{ dataset: datasetOf([two]), methods: [whole] }], plain);
    expect(collected.rows.map(({ protocol, target }) => `${protocol} ${target}`)).toEqual([
      `strict ${WHOLE}`,
      'paper benign lesion',
      'paper cyst',
    ]);
    expect(collected.warnings.at(-1)).toContain('do not state which structure they show');
    await put('two.benign-lesion.png', rectangle([2, 2, 9, 9]));
    await put('two.cyst.png', rectangle([20, 10, 30, 20]));
    const apart = await collect([{ dataset: datasetOf([two]), methods: [await MaskFolderMethod.open(dir)] }], plain);
    expect(apart.rows.map(({ protocol, target, dsc }) => `${protocol} ${target} ${dsc}`)).toEqual([
      'strict benign lesion 1',
      'strict cyst 1',
      'paper benign lesion 1',
      'paper cyst 1',
    ]);
  });

  it('may be empty, which is a wrong answer and no missing one', async () => {
    await put('s.png', rectangle([0, 0, 0, 0]));
    const method = await MaskFolderMethod.open(dir, 'other');
    const samples = [sample('s', [object('lesion', [4, 4, 12, 12])]), sample('t', [object('lesion', [4, 4, 12, 12])])];
    const { rows } = await collect([{ dataset: datasetOf(samples), methods: [method] }], plain);
    const of = (protocol: 'strict' | 'paper') =>
      summariseProtocol(rows, new Map(), { protocol, names: ['toys'], seed: 1 }).pooled;
    expect(of('strict')).toMatchObject({ dsc: 0, n: 2, falseNegatives: 2 });
    expect(of('paper')).toMatchObject({ dsc: 0, n: 1, falseNegatives: 1, ap: null });
  });

  it('may have another size with the same proportions, and grey edges', async () => {
    const big = await sharp(await maskToPng(rectangle([4, 4, 12, 12])))
      .resize(80, 60, { kernel: 'cubic' })
      .png()
      .toBuffer();
    await writeFile(join(dir, 'img.1.png'), big);
    const [box] = await (await MaskFolderMethod.open(dir)).answer(lesion, ['lesion']);
    expect(box?.mask).toEqual(rectangle([4, 4, 12, 12]));
    await put('img.1.png', rectangle([0, 0, 3, 3], { width: 30, height: 30 }));
    await expect((await MaskFolderMethod.open(dir)).answer(lesion, ['lesion'])).rejects.toThrow('30x30');
    await writeFile(join(dir, 'img.1.png'), 'not an image');
    await expect((await MaskFolderMethod.open(dir)).answer(lesion, ['lesion'])).rejects.toThrow('img.1.png');
  });

  it.each([
    ['grey 100', 1, [100]],
    ['class 1', 1, [1]],
    ['green', 3, [0, 255, 0]],
    ['blue', 3, [0, 0, 200]],
  ] as const)('count whatever their level: %s', async (_name, channels, colour) => {
    const inside = rectangle([4, 4, 12, 12]);
    const drawn = Uint8Array.from({ length: inside.data.length * channels }, (_, i) => {
      return (inside.data[Math.floor(i / channels)] as number) * (colour[i % channels] as number);
    });
    const { width, height } = inside;
    const png = sharp(drawn, { raw: { width, height, channels } }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
    await writeFile(join(dir, 'img.1.png'), await png.png().toBuffer());
    const { rows } = await collect([{ dataset: datasetOf([lesion]), methods: [await MaskFolderMethod.open(dir)] }], plain);
    expect(rows.map(({ protocol, dsc }) => `${protocol} ${dsc}`)).toEqual(['strict 1', 'paper 1']);
  });

  it('are named, not scored as empty, when their levels have no clear meaning', async () => {
    const { width, height, data } = rectangle([4, 4, 12, 12]);
    const inverse = Uint8Array.from(data, (value) => (value === 1 ? 100 : 200));
    await writeFile(
      join(dir, 'img.1.png'),
      await sharp(inverse, { raw: { width, height, channels: 1 } })
        .png()
        .toBuffer(),
    );
    const method = await MaskFolderMethod.open(dir);
    await expect(method.answer(lesion, ['lesion'])).rejects.toThrow(/img\.1\.png: the mask has no background 0: levels 100, 200/);
  });

  it('are refused when two have one name', async () => {
    await put('a.png', rectangle([0, 0, 3, 3]));
    await put('a.bmp', rectangle([0, 0, 3, 3]));
    await expect(MaskFolderMethod.open(dir)).rejects.toThrow('same name');
  });
});

describe('cached answers', () => {
  const size = { width: 40, height: 30 };
  const key = { model: 'm'.repeat(64), image: 'i'.repeat(64), prompt: 'p'.repeat(64) };

  it('comes back as it was, boxes without masks too', async () => {
    const cache = new AnswerCache(dir);
    const answer = [
      answered('lesion', 0.9, [4, 4, 12, 12]),
      { phrase: 'cyst', score: 0.01, boxXyxyPx: [0.25, 1, 2, 3] as const },
    ];
    expect(await cache.get(key)).toBeUndefined();
    await cache.put(key, answer, size);
    expect(await cache.get(key)).toEqual(answer);
    await cache.put(key, [], size);
    expect(await cache.get(key)).toEqual([]);
    for (const part of ['model', 'image', 'prompt'] as const)
      expect(await cache.get({ ...key, [part]: 'x'.repeat(64) })).toBeUndefined();
  });

  it('is read once for all protocols that ask the same of an image, and again for the next image', async () => {
    await writeFile(join(dir, 'config.json'), '{}');
    class Counted extends AnswerCache {
      readonly asked: string[] = [];
      override async get(asked: Parameters<AnswerCache['get']>[0]): Promise<Answer> {
        this.asked.push(asked.image.slice(0, 4));
        return [answered('lesion', this.asked.length / 10, [4, 4, 12, 12])];
      }
    }
    const cache = new Counted(dir);
    const policy = { threshold: 0.3, select: 'all', bestFrom: 0.3 } as const;
    const method = await ModelMethod.open({ name: 'ours', models: { detector: dir, masker: dir }, cache, policy });
    const [one, two] = [sample('one', []), sample('two', [])];
    const other = { ...two, image: { ...two.image, data: two.image.data.map((value) => 255 - value) } };
    const scoreOf = async (of: Sample, phrase: string) => (await method.answer(of, [phrase]))[0]?.score;
    expect([await scoreOf(one, 'lesion'), await scoreOf(one, 'lesion')]).toEqual([0.1, 0.1]);
    expect(await scoreOf(one, 'cyst')).toBe(0.2);
    expect([await scoreOf(other, 'lesion'), await scoreOf(one, 'lesion')]).toEqual([0.3, 0.4]);
    const [first, , third] = cache.asked;
    expect(cache.asked).toEqual([first, first, third, first]);
    expect(third).not.toBe(first);
  });

  it('is forgotten when the model or the image changes', async () => {
    await writeFile(join(dir, 'model.safetensors'), 'weights');
    await writeFile(join(dir, 'config.json'), '{}');
    const first = await modelFingerprint([dir]);
    await writeFile(join(dir, 'calibration.json'), '{}');
    expect(await modelFingerprint([dir])).toBe(first);
    expect(await modelFingerprint([join(dir, 'model.safetensors')])).toBe(first);
    await writeFile(join(dir, 'model.safetensors'), 'Weights');
    expect(await modelFingerprint([dir])).not.toBe(first);
    expect(await modelFingerprint([dir, dir])).not.toBe(await modelFingerprint([dir]));
    const policy = { threshold: 0.3, select: 'all', bestFrom: 0.3 } as const;
    const cache = new AnswerCache(join(dir, 'answers'));
    const identity = async (models: object) =>
      (await ModelMethod.open({ name: 'ours', models: { detector: dir, masker: dir, ...models }, cache, policy })).fingerprint;
    const kinds = await Promise.all([{}, { adapter: dir }, { maskerAdapter: dir }].map(identity));
    expect(new Set(kinds).size).toBe(3);
    const image = { width: 2, height: 1, data: new Uint8Array([1, 2, 3, 4, 5, 6]) };
    expect(imageFingerprint({ ...image, width: 1, height: 2 })).not.toBe(imageFingerprint(image));
    expect(imageFingerprint({ ...image, data: new Uint8Array([1, 2, 3, 4, 5, 7]) })).not.toBe(imageFingerprint(image));
  });
});
