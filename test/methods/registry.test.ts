import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { UniverSegPredictor } from '../../src/infer/index.js';
import {
  type BoxEntry,
  createMethod,
  type ExemplarEntry,
  findMethod,
  loadMethod,
  methodEntries,
  requireTakes,
  weightParts,
  weightsOf,
} from '../../src/methods/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinyBiomedClip } from '../support/tiny-biomed-clip.js';
import { writeTinyBiomedParse } from '../support/tiny-biomed-parse.js';

useBackend();

const dir = temporaryFolder('methods');

describe('the methods of the comparison', () => {
  it('declare what each is given, its licence and where its weights are, built or not', () => {
    expect(methodEntries.map(({ name, takes }) => `${name}: ${takes}`)).toEqual([
      'universeg: exemplars',
      'biomedparse: text',
      'samus: point',
      'medclip-sam: text',
      'medclip-samv2: text',
      'medsam: box',
    ]);
    for (const { licence, weights } of methodEntries)
      expect([licence.code, licence.weights, weights.published]).not.toContain('');
  });

  it('are all built, and an unknown one is refused with the nearest name', async () => {
    expect(methodEntries.filter(({ create }) => create === undefined)).toEqual([]);
    await expectError(loadMethod('medsm'), { code: 'E_METHOD_UNKNOWN', what: /did you mean medsam/ });
  });

  it('loads MedSAM by its name, which segments boxes', async () => {
    const method = await loadMethod('medsam', { weights: fixturePath('sam-windows') });
    if (method.takes !== 'box') throw new Error(method.takes);
    await method.model.setImage({ width: 12, height: 9, data: new Uint8Array(12 * 9 * 3).fill(7) });
    const [found] = await method.model.predictBoxes([[1, 2, 8, 7]]);
    expect([found?.mask.width, found?.mask.height]).toEqual([12, 9]);
    method.model.dispose();
  });

  it('loads UniverSeg by its name, which segments by exemplars as its predictor does', async () => {
    const weights = join(dir, 'universeg');
    await mkdir(weights);
    await copyFile(fixturePath('universeg', 'published.pt'), join(weights, 'weights.pt'));
    const blocks = { encoder_blocks: [[4, 6], [5, 7], [8, 9]], decoder_blocks: [[6, 5], [7, 4]] }; // biome-ignore format: one line
    await writeFile(join(weights, 'config.json'), JSON.stringify({ model_type: 'universeg', ...blocks, image_size: 16 }));
    const method = await loadMethod('universeg', { weights });
    if (method.takes !== 'exemplars') throw new Error(method.takes);
    const image = (value: number) => ({
      width: 20,
      height: 12,
      data: Uint8Array.from({ length: 720 }, (_, i) => (i * value) % 199),
    });
    const mask = (from: number) => ({
      width: 20,
      height: 12,
      data: Uint8Array.from({ length: 240 }, (_, i) => Number(i >= from)),
    });
    const sets = [[{ image: image(7), mask: mask(90) }], [{ image: image(11), mask: mask(30) }]];
    const predictor = await UniverSegPredictor.load(weights);
    for (const exemplars of [...sets, ...sets]) {
      const found = await method.model.segment(image(5), exemplars);
      await predictor.setSupport(exemplars.map((one) => one.image), exemplars.map((one) => one.mask)); // biome-ignore format: one line
      const expected = await predictor.predict(image(5));
      expect(found.mask).toEqual(expected.mask);
      expect([found.ownGrid?.width, found.ownGrid?.height]).toEqual([16, 16]);
      expect(Array.from(found.ownGrid?.data ?? [])).toEqual(Array.from(expected.logits.data, (logit) => Number(logit > 0)));
    }
    predictor.dispose();
    method.model.dispose();
  });

  it.each(['medclip-sam', 'medclip-samv2'])(
    'loads %s from the weights of two models, in both forms, and segments what a phrase says',
    async (name) => {
      const clip = join(dir, 'clip');
      await writeTinyBiomedClip(clip);
      const weights = `${clip}, ${fixturePath('sam-windows')}`;
      const image = { width: 30, height: 12, data: Uint8Array.from({ length: 1080 }, (_, i) => (i * i) % 251) };
      const boxes = [];
      for (const asPublished of [false, true]) {
        const method = await loadMethod(name, { weights, asPublished });
        if (method.takes !== 'text') throw new Error(method.takes);
        const [found] = await method.model.segment(image, ['a lesion']);
        expect(found).toMatchObject({ phrase: 'a lesion', score: 1, mask: { width: 30, height: 12 } });
        boxes.push(found?.boxXyxyPx);
        method.model.dispose();
      }
      expect(boxes[0]?.[0]).toBeGreaterThanOrEqual(9);
      expect(boxes[0]).not.toEqual(boxes[1]);
    },
  );

  it('refuses one of two weights, those in the wrong order, and says whose they should be', async () => {
    const [clip, sam] = [join(dir, 'clip'), fixturePath('sam-windows')];
    await writeTinyBiomedClip(clip);
    const name = 'medclip-samv2';
    const what = /expected the weights of 2 models, BIOMEDCLIP,SAM/;
    for (const weights of [clip, `${clip},`, `${clip},${sam},${sam}`])
      await expectError(loadMethod(name, { weights }), { code: 'E_OPTION_VALUE', where: name, what });
    const fix = /pytorch_model\.bin.*medclip-samv2 takes a text prompt/;
    await expectError(loadMethod(name, { weights: `${sam},${clip}` }), {
      code: 'E_METHOD_WEIGHTS',
      what: 'model_type clip',
      fix,
    });
    await expectError(loadMethod(name, { weights: `${clip},${clip}` }), {
      code: 'E_METHOD_WEIGHTS',
      what: 'model_type sam',
      fix,
    });
  });

  it('loads BiomedParse by its name, which segments what a phrase says', async () => {
    const weights = join(dir, 'biomed-parse');
    await writeTinyBiomedParse(weights);
    const method = await loadMethod('biomedparse', { weights });
    if (method.takes !== 'text') throw new Error(method.takes);
    const image = { width: 30, height: 12, data: Uint8Array.from({ length: 1080 }, (_, i) => (i * i) % 251) };
    const [found] = await method.model.segment(image, ['a lesion']);
    expect(found).toMatchObject({ phrase: 'a lesion', score: 1, mask: { width: 30, height: 12 } });
    expect(found?.maskScore).toBeGreaterThan(0.5);
    await expectError(method.model.masker.predictBoxes([[1, 2, 8, 7]]), { code: 'E_PROMPT_INVALID', what: 'text' });
    method.model.dispose();
  });

  it('tells BiomedParse from other methods, and names the tokenizer that it lacks', async () => {
    const [weights, samus] = [join(dir, 'biomed-parse-alone'), fixturePath('samus', 'published.pth')];
    const fix = /biomedparse_v1\.pt.*merges\.txt.*biomedparse takes a text prompt/;
    for (const other of [samus, fixturePath('sam-windows'), fixturePath('biomed-clip')])
      await expectError(loadMethod('biomedparse', { weights: other }), {
        code: 'E_METHOD_WEIGHTS',
        what: /not weights of biomedparse: .*expected model_type biomedparse/,
        fix,
      });
    const published = fixturePath('biomed-parse', 'published.pt');
    await expectError(loadMethod('samus', { weights: published }), { code: 'E_METHOD_WEIGHTS', what: 'biomedparse' });
    await mkdir(weights);
    await copyFile(published, join(weights, 'published.pt'));
    await copyFile(fixturePath('biomed-parse', 'config.json'), join(weights, 'config.json'));
    const lacking = {
      code: 'E_TOKENIZER_MISSING',
      what: /neither tokenizer.json nor merges.txt beside.*no clip-tokenizer/,
    } as const;
    await expectError(loadMethod('biomedparse', { weights }), lacking);
    expect(weightsOf(findMethod('biomedparse'), 'random')).toBe('random');
  });

  it('takes one word for random weights, of several models too, but not for one of two', async () => {
    for (const entry of methodEntries.filter(({ create }) => create !== undefined)) {
      expect(weightsOf(findMethod(entry.name), 'random')).toBe('random');
      expect(weightParts(entry, 'random')).toEqual(['random']);
    }
    await expectError(loadMethod('medclip-samv2', { weights: `random,${fixturePath('sam-windows')}` }), {
      code: 'E_OPTION_VALUE',
      where: 'medclip-samv2',
      what: 'got "random,',
    });
  });

  it('runs UniverSeg with random weights of the published size, the same each time', async () => {
    const image = { width: 20, height: 12, data: Uint8Array.from({ length: 720 }, (_, i) => (i * 7) % 251) };
    const mask = { width: 20, height: 12, data: Uint8Array.from({ length: 240 }, (_, i) => Number(i > 90)) };
    const other = { ...image, data: image.data.map((value) => 255 - value) };
    const found = [];
    for (let run = 0; run < 2; run++) {
      const method = await loadMethod('universeg', { weights: 'random' });
      if (method.takes !== 'exemplars') throw new Error(method.takes);
      found.push(await method.model.segment(other, [{ image, mask }]));
      method.model.dispose();
    }
    expect(found[0]?.ownGrid?.width).toBe(128);
    expect(found[0]).toEqual(found[1]);
  });

  it('loads SAMUS by its name, which segments what points mark, and what is at the centres of boxes', async () => {
    const method = await loadMethod('samus', { weights: fixturePath('samus', 'published.pth') });
    if (method.takes !== 'point') throw new Error(method.takes);
    await method.model.setImage({ width: 12, height: 9, data: Uint8Array.from({ length: 12 * 9 * 3 }, (_, i) => (i * 7) % 251) });
    const [marked] = await method.model.predictPoints([{ point: [4.5, 4.5], inside: true }]);
    expect([marked?.mask.width, marked?.mask.height, marked?.ownGrid.width]).toEqual([12, 9, 64]);
    const [centred] = await method.model.predictBoxes([[1, 2, 8, 7]]);
    expect(centred?.mask).toEqual(marked?.mask);
    method.model.dispose();
  });

  it('tells SAMUS from SAM, whose weights it contains', async () => {
    const [sam, samus] = [fixturePath('sam-windows'), fixturePath('samus', 'published.pth')];
    const fix = /about 530 MB, on Google Drive. samus takes points/;
    const what = /these are not weights of samus: .*expected model_type samus/;
    await expectError(loadMethod('samus', { weights: sam }), { code: 'E_METHOD_WEIGHTS', what, fix });
    await expectError(loadMethod('medsam', { weights: samus }), {
      code: 'E_METHOD_WEIGHTS',
      what: /these are not weights of medsam: .*samus/,
    });
  });

  it('refuses weights of another model, and says whose they should be', async () => {
    const text = /these are not weights of medsam: .*expected model_type sam/;
    const fix = /medsam-vit-base.*medsam takes boxes/;
    for (const weights of [fixturePath('sam2-stable'), fixturePath('grounding-dino-four-levels')])
      await expectError(loadMethod('medsam', { weights }), { code: 'E_METHOD_WEIGHTS', what: text, fix });
  });

  it('keeps the error of weights that are damaged or not there', async () => {
    await expectError(loadMethod('medsam', { weights: join(dir, 'nowhere') }), { code: 'E_MODEL_NOT_FOUND', where: /nowhere/ });
    const damaged = join(dir, 'medsam_vit_b.pth');
    await writeFile(damaged, 'no archive');
    await expect(loadMethod('medsam', { weights: damaged })).rejects.toThrow(/medsam_vit_b\.pth|config\.json/);
  });

  it('refuses a prompt of another kind, an unknown published form, and missing weights', async () => {
    const medsam = findMethod('medsam') as BoxEntry;
    expect(() => requireTakes(medsam, 'exemplars', '--exemplars')).toThrow(
      '--exemplars: medsam does not take exemplars: other images with their masks. medsam takes boxes',
    );
    const own: ExemplarEntry = {
      ...medsam,
      name: 'own',
      takes: 'exemplars',
      weights: { published: 'own.pt' },
      create: async () => ({
        segment: async () => ({ mask: { width: 1, height: 1, data: new Uint8Array(1) } }),
        dispose: () => {},
      }),
    };
    const { asPublished: _, random: __, ...plain } = own;
    await expectError(createMethod(plain, { weights: 'x', asPublished: true }), { code: 'E_OPTION_CONFLICT', where: 'own' });
    expect(() => weightsOf(plain, undefined)).toThrow('own: no weights are named. Name own.pt');
    expect(weightsOf(medsam, undefined)).toBe('medsam-vit-base');
    expect(weightParts(findMethod('medclip-sam'), weightsOf(findMethod('medclip-sam'), undefined))).toEqual([
      'biomedclip',
      'sam-vit-base',
    ]);
    expect(() => weightsOf(plain, 'random')).toThrow('own: it cannot be run with random weights');
  });
});
