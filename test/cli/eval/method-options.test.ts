import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { methodRequests, pointsOf } from '../../../src/cli/eval/method-options.js';
import { useBackend } from '../../support/backend.js';
import { runCommand } from '../../support/command.js';
import { fixturePath } from '../../support/golden.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { writeTinyBiomedClip } from '../../support/tiny-biomed-clip.js';
import { writeTinyBiomedParse } from '../../support/tiny-biomed-parse.js';

const dir = temporaryFolder('methods-cli');
const IMAGE = 'examples/fetal-head-1.jpg';
const SHIPPED = 'weights/universeg-nano';
const NANO = ['--detector', 'nano', '--prompt', 'mass', '--image', IMAGE];

useBackend();

beforeAll(async () => {
  const whole = await readFile(fixturePath('samus', 'published.pth'));
  await writeFile(join(dir, 'cut.pth'), whole.subarray(0, whole.length / 2));
  await writeFile(
    join(dir, 'noise.pth'),
    Uint8Array.from({ length: 5000 }, (_, i) => (i * 7 + 11) % 251),
  );
  await writeFile(join(dir, 'empty.pth'), '');
});

describe('--method and --weights', () => {
  const parse = (method: string[], weights: string[] = [], asPublished = false) =>
    methodRequests({ method, weights, asPublished });

  it('pair by name, or without one where there is one method', () => {
    expect(parse(['medsam', 'medsam'], ['medsam=a=b.pth'])).toEqual([{ name: 'medsam', weights: 'a=b.pth', asPublished: false }]);
    expect(parse(['medsam'], ['C:/a.pth'], true)).toEqual([{ name: 'medsam', weights: 'C:/a.pth', asPublished: true }]);
    expect(parse(['medsam'])).toEqual([{ name: 'medsam', weights: undefined, asPublished: false }]);
    expect(parse([])).toEqual([]);
  });

  it.each([
    [['medsam'], ['samus=a.pth'], 'expected METHOD=WEIGHTS for medsam, got "samus=a.pth"'],
    [['medsam'], [''], 'expected METHOD=WEIGHTS'],
    [['medsam'], ['medsam=a', 'b'], 'medsam has two: a and b'],
    [[], ['medsam=a'], '--weights: no method is named'],
  ])('%p with %p is refused', (method, weights, what) => {
    expect(() => parse(method, weights)).toThrow(what);
  });
});

describe('--point and --point-seed', () => {
  it('are a way each, with seed 0 where none is given, and none twice', () => {
    expect(pointsOf({ point: ['fixed'] })).toEqual([{ way: 'fixed' }]);
    expect(pointsOf({ point: ['random', 'fixed', 'random'] })).toEqual([{ way: 'random', seed: 0 }, { way: 'fixed' }]);
    expect(pointsOf({ point: ['random'], pointSeed: [4, 2, 4] })).toEqual([
      { way: 'random', seed: 4 },
      { way: 'random', seed: 2 },
    ]);
  });
});

describe('a method on the command line', () => {
  it.each([
    [['eval', '--method', 'medsm'], 2, 'did you mean medsam?', 'E_METHOD_UNKNOWN'],
    [['eval', '--as-published'], 2, '--as-published: no method', 'E_OPTION_CONFLICT'],
    [['infer', ...NANO, '--method', 'universeg'], 2, 'universeg takes exemplars', 'E_METHOD_PROMPT'],
    [['infer', ...NANO, '--method', 'samus', '--weights', 'random'], 2, 'random weights find nothing', 'E_OPTION_VALUE'],
    [
      ['infer', ...NANO, '--method', 'samus', '--weights', fixturePath('sam-windows')],
      1,
      'not weights of samus',
      'E_METHOD_WEIGHTS',
    ],
    [['eval', '--method', 'samus', '--point-seed', '1'], 2, '--point-seed: it is for random points', 'E_OPTION_CONFLICT'],
    [
      ['eval', '--method', 'samus', '--point', 'random', '--point-seed', '-1'],
      2,
      'expected an integer from 0 on',
      'E_OPTION_VALUE',
    ],
    [['eval', '--point', 'random'], 2, '--point: it is for methods that take points, and no method is named', 'E_METHOD_PROMPT'],
    [['eval', '--method', 'universeg', '--point', 'fixed'], 2, 'none among universeg', 'E_METHOD_PROMPT'],
    [['eval', '--method', 'samus', '--support', '4'], 2, '--support: it is for methods that take exemplars', 'E_METHOD_PROMPT'],
    [
      ['infer', '--image', 'examples', '--exemplars', 'examples', '--method', 'medsam'],
      2,
      '--exemplars: medsam does not take exemplars',
      'E_METHOD_PROMPT',
    ],
    [['infer', ...NANO, '--method', 'universeg'], 2, '--prompt: universeg does not take a text prompt', 'E_METHOD_PROMPT'],
    [
      ['infer', '--image', 'examples', '--exemplars', 'examples', '--method', 'universeg', '--model', 'x', '--weights', SHIPPED],
      2,
      '--model: universeg has its weights by --weights',
      'E_OPTION_CONFLICT',
    ],
    [
      [
        'infer',
        '--image',
        'examples',
        '--exemplars',
        'examples',
        '--method',
        'universeg',
        '--weights',
        fixturePath('sam-windows'),
      ],
      1,
      'not weights of universeg',
      'E_METHOD_WEIGHTS',
    ],
    [
      ['eval', '--method', 'samus', '--weights', join(dir, 'cut.pth')],
      1,
      'cut.pth: its zip directory cannot be read',
      'E_WEIGHTS_DAMAGED',
    ],
    [
      ['eval', '--method', 'samus', '--weights', join(dir, 'noise.pth')],
      1,
      'noise.pth: the header is longer',
      'E_WEIGHTS_DAMAGED',
    ],
    [
      ['eval', '--method', 'samus', '--weights', join(dir, 'empty.pth')],
      1,
      'empty.pth: the file has 0 bytes',
      'E_WEIGHTS_DAMAGED',
    ],
    [
      ['eval', '--method', 'samus', '--weights', fixturePath('losses-masks', 'case.safetensors')],
      1,
      'keys (',
      'E_METHOD_WEIGHTS',
    ],
    [['eval', '--method', 'samus', '--weights', fixturePath('torch-objects', 'legacy.pth')], 1, 'torch', 'E_WEIGHTS_FORMAT'],
    [['infer', ...NANO, '--weights', 'x'], 2, 'no method is named', 'E_OPTION_CONFLICT'],
    [['infer', ...NANO, '--method', 'medsam', '--masker', 'none'], 2, '--masker: medsam takes the place', 'E_OPTION_CONFLICT'],
    [
      ['infer', ...NANO, '--method', 'medsam', '--weights', fixturePath('sam2-stable')],
      1,
      'not weights of medsam',
      'E_METHOD_WEIGHTS',
    ],
    [
      ['infer', ...NANO.slice(2), '--method', 'biomedparse', '--weights', 'random'],
      2,
      'random weights find nothing',
      'E_OPTION_VALUE',
    ],
    [
      ['infer', ...NANO.slice(2), '--method', 'biomedparse', '--weights', fixturePath('samus', 'published.pth')],
      1,
      'not weights of biomedparse',
      'E_METHOD_WEIGHTS',
    ],
    [
      ['infer', ...NANO, '--method', 'biomedparse', '--weights', 'x'],
      2,
      '--detector: biomedparse takes the place of the detector',
      'E_OPTION_CONFLICT',
    ],
    [['eval', '--method', 'medclip-samv2', '--weights', 'one'], 2, 'BIOMEDCLIP,SAM, got "one"', 'E_OPTION_VALUE'],
    [
      ['infer', ...NANO, '--method', 'medclip-samv2', '--weights', 'a,b'],
      2,
      '--detector: medclip-samv2 takes the place of the detector',
      'E_OPTION_CONFLICT',
    ],
    [
      ['infer', ...NANO.slice(2), '--method', 'medclip-samv2', '--weights', 'a,b', '--threshold', '0.5'],
      2,
      '--threshold: medclip-samv2',
      'E_OPTION_CONFLICT',
    ],
    [['infer', ...NANO.slice(2), '--method', 'medclip-samv2'], 1, 'download medclip-samv2-biomedclip', 'E_MODEL_NOT_DOWNLOADED'],
    [['infer', ...NANO, '--method', 'medsam', '--weights', 'nowhere/x.pth'], 1, 'nowhere/x.pth', 'E_MODEL_NOT_DOWNLOADED'],
  ])('%p is refused with one line and a code', async (args, exit, what, code) => {
    const seen = await runCommand([...args, ...(args[0] === 'infer' ? ['--out', join(dir, 'refused')] : [])]);
    expect(seen.text).toContain(what);
    expect(seen.text).toContain(`[${code}]`);
    expect(seen.text).not.toMatch(/\n\s+at /);
    expect(seen.code).toBe(exit);
  });

  it('finds by itself what the prompt says, where it takes text', async () => {
    const [clip, sam, out] = [join(dir, 'clip'), fixturePath('sam-windows'), join(dir, 'by-text')];
    await writeTinyBiomedClip(clip);
    const args = ['infer', ...NANO.slice(2), '--method', 'medclip-samv2', '--weights', `${clip},${sam}`, '--out', out];
    const seen = await runCommand(args);
    expect(seen.text).toContain('1 image done');
    expect(seen.code).toBe(0);
    const read = async (name: string) => JSON.parse(await readFile(join(out, name), 'utf8'));
    expect(await read('settings.json')).toMatchObject({ method: 'medclip-samv2', detector: clip, masker: sam });
    const results = await read('results.json');
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ score: 1 });
    expect(results[0]).toHaveProperty('segmentation');
    expect((await runCommand(args)).text).toContain('1 done before');
  });

  it('segments by one model alone what the prompt says', async () => {
    const [weights, out] = [join(dir, 'biomed-parse'), join(dir, 'by-biomed-parse')];
    await writeTinyBiomedParse(weights);
    const args = ['infer', ...NANO.slice(2), '--method', 'biomedparse', '--weights', weights, '--out', out];
    const seen = await runCommand(args);
    expect(seen.text).toContain('1 image done');
    expect(seen.code).toBe(0);
    const read = async (name: string) => JSON.parse(await readFile(join(out, name), 'utf8'));
    expect(await read('settings.json')).toMatchObject({ method: 'biomedparse', detector: weights });
    const [result] = await read('results.json');
    expect(result).toMatchObject({ score: 1 });
    expect(result).toHaveProperty('segmentation');
  });

  it('masks what the detector finds, and does again what the plain masker of the same weights has done', async () => {
    const weights = fixturePath('sam-windows');
    const out = join(dir, 'out');
    const settings = async () => JSON.parse(await readFile(join(out, 'settings.json'), 'utf8'));
    const common = ['infer', ...NANO, '--threshold', '0.01', '--out', out];
    expect((await runCommand([...common, '--masker', weights])).code).toBe(0);
    const plain = await settings();
    expect((await runCommand([...common, '--method', 'medsam', '--weights', weights])).code).toBe(0);
    const method = await settings();
    expect(plain).not.toHaveProperty('method');
    expect(method).toMatchObject({ method: 'medsam', masker: weights });
    expect(method.key).not.toBe(plain.key);
    const results = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'));
    expect(results.length).toBeGreaterThan(0);
    expect(results[0]).toHaveProperty('segmentation');
    const points = [...common, '--method', 'samus', '--weights', fixturePath('samus', 'published.pth')];
    expect((await runCommand(points)).code).toBe(0);
    expect(await settings()).toMatchObject({ method: 'samus' });
    const marked = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'));
    expect(marked.length).toBe(results.length);
    expect(marked[0].bbox).toEqual(results[0].bbox);
    expect(marked[0].segmentation).not.toEqual(results[0].segmentation);
  });
});
