import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { adaptersIn } from '../../src/lora/index.js';
import { parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { loadGroundingDino } from '../../src/pretrained/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const BASE = 'grounding-dino-four-levels';
const ADAPTER = fixturePath('lora-detector');
const WEIGHTS = 'adapter_model.safetensors';
const CONFIG = 'adapter_config.json';

const dir = temporaryFolder('adapter-parts');

type Arrays = Map<string, NamedArray>;

/** The adapter that peft wrote, changed. */
async function changed(config: object, change: (arrays: Arrays) => void = () => {}): Promise<string> {
  const folder = await mkdtemp(join(dir, 'one-'));
  await cp(ADAPTER, folder, { recursive: true });
  const { arrays } = await readSafetensors(join(ADAPTER, WEIGHTS));
  const own = new Map(arrays);
  change(own);
  await writeSafetensors(join(folder, WEIGHTS), own);
  const before = JSON.parse(await readFile(join(ADAPTER, CONFIG), 'utf8'));
  await writeFile(join(folder, CONFIG), JSON.stringify({ ...before, ...config }));
  return folder;
}

/** The adapted layers that a folder gives, or what is said of it. */
async function outcome(folder: string): Promise<number | string> {
  const config = parseGroundingDinoConfig(fixtureJson(BASE, 'config.json'));
  try {
    const model = await loadGroundingDino(fixturePath(BASE), config, { adapter: folder });
    const { length } = adaptersIn(model);
    model.dispose();
    return length;
  } catch (error) {
    return (error as Error).message;
  }
}

const keep = (fits: RegExp) => (arrays: Arrays) => {
  for (const key of [...arrays.keys()]) if (key.includes('lora_') && !fits.test(key)) arrays.delete(key);
};
const FC = ['fc1', 'fc2'];
const decoderFc = /decoder\.layers\.\d+\.fc[12]/;
const anyFc = /\.fc[12]\.lora/;

describe('an adapter and its configuration', () => {
  it('agree as peft wrote them: a pattern of whole paths', async () => {
    expect(await outcome(await changed({}))).toBe(54);
  });

  it.each<[string, object, RegExp, number]>([
    ['a list of suffixes', { target_modules: FC }, anyFc, 14],
    ['a list of whole paths', { target_modules: [0, 1, 2].map((i) => `model.decoder.layers.${i}.fc1`) }, /decoder.*\.fc1/, 3],
    ['suffixes with exclusions', { target_modules: FC, exclude_modules: 'model\\.encoder.*' }, decoderFc, 6],
    [
      'endings without a list of those',
      { target_modules: FC, exclude_modules: ['deformable_layer.fc1', 'deformable_layer.fc2'] },
      /text_enhancer_layer\.fc|decoder\.layers\.\d+\.fc/,
      10,
    ],
    ['suffixes in one layer', { target_modules: FC, layers_to_transform: 1 }, /layers\.1\.(.*\.)?fc[12]/, 6],
    [
      'suffixes in layers of one module',
      { target_modules: FC, layers_to_transform: [0, 2], layers_pattern: 'decoder.layers' },
      /decoder\.layers\.[02]\.fc[12]/,
      4,
    ],
    ['a pattern with alternatives', { target_modules: '.*decoder\\.layers\\.\\d+\\.(fc1|fc2)' }, decoderFc, 6],
  ])('agree if they are given by %s', async (_name, config, fits, layers) => {
    const own = { rank_pattern: { 'decoder\\.layers\\.1\\.fc1': 4 }, ...config };
    expect(await outcome(await changed(own, keep(fits)))).toBe(layers);
  });

  it.each<[string, object, RegExp, RegExp]>([
    ['a pattern', {}, /decoder/, /\d+ of the 54 layers that target_modules names are missing: .*and \d+ more/],
    [
      'endings',
      { target_modules: FC },
      decoderFc,
      /8 of the 14 layers that target_modules names are missing: model\.encoder\.layers\.0/,
    ],
    [
      'all linear layers',
      { target_modules: 'all-linear', modules_to_save: null },
      /lora/,
      /layers that target_modules names are missing/,
    ],
    ['too few layers', { target_modules: ['fc1'] }, anyFc, /7 layers are there that target_modules does not name: .*fc2/],
    [
      'other layers by number',
      { target_modules: FC, layers_to_transform: [0] },
      anyFc,
      /layers are there that target_modules does not name/,
    ],
  ])('disagree if it names %s', async (_name, config, fits, message) => {
    expect(await outcome(await changed(config, keep(fits)))).toMatch(message);
  });

  it('disagree where a module that was trained whole is missing or halved', async () => {
    const without = (fits: RegExp) => (arrays: Arrays) => {
      for (const key of [...arrays.keys()]) if (fits.test(key)) arrays.delete(key);
    };
    expect(await outcome(await changed({}, without(/bbox_embed/)))).toMatch(
      /6 weights below modules_to_save are missing: bbox_embed\.0/,
    );
    expect(await outcome(await changed({}, without(/bbox_embed\.\d\.layers\.2\.bias/)))).toMatch(
      /1 weights below modules_to_save/,
    );
  });

  it('are refused where two tensors have one name', async () => {
    const twice = (arrays: Arrays) => {
      const [key, array] = [...arrays].find(([name]) => name.includes('lora_A')) as [string, NamedArray];
      arrays.set(key.replace('lora_A.weight', 'lora_A.other.weight'), array);
    };
    expect(await outcome(await changed({}, twice))).toMatch(/lora_A\.weight is there twice/);
  });

  it('are read in a moment whatever pattern an untrusted file has', async () => {
    expect(
      await outcome(
        await changed({ rank_pattern: { '([a-z_.0-9]+)+!': 3, 'model.text_projection': 2, 'decoder\\.layers\\.1\\.fc1': 4 } }),
      ),
    ).toBe(54);
    expect(await outcome(await changed({ target_modules: '(?!x).*' }))).toMatch(
      /target_modules: not a regular expression that is understood/,
    );
    const many = Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`(a|b)+${i}`, 3]));
    expect(await outcome(await changed({ rank_pattern: many }))).toMatch(
      /rank_pattern: .*9000 patterns .* are more than are read/,
    );
    expect(await outcome(await changed({ r: 1e9 }))).toMatch(/r: /);
  });
});

describe('weights that are no numbers', () => {
  const spoilt = (value: number, count: number) => (arrays: Arrays) => {
    const key = [...arrays.keys()].find((name) => name.endsWith('text_projection.lora_B.weight')) as string;
    const { shape, data } = arrays.get(key) as NamedArray;
    arrays.set(key, { dtype: 'float32', shape, data: Float32Array.from(data).fill(value, 0, count) });
  };

  it('are named, in an adapter', async () => {
    const message = await outcome(await changed({}, spoilt(Number.NaN, 3)));
    expect(message).toMatch(
      /adapter_model\.safetensors: NaN or infinite values in 1 of its weights: .*text_projection\.lora_B\.weight \(3 of 64 values\)/,
    );
    expect(await outcome(await changed({}, spoilt(Number.NEGATIVE_INFINITY, 64)))).toMatch(/\(all 64 values\)/);
  });

  it('are no large numbers, whose sum is finite in double precision', async () => {
    expect(await outcome(await changed({}, spoilt(3.4e38, 64)))).toBe(54);
  });

  it('are named, in a whole model', async () => {
    const folder = await mkdtemp(join(dir, 'model-'));
    await cp(fixturePath(BASE), folder, { recursive: true });
    const { arrays } = await readSafetensors(join(folder, 'model.safetensors'));
    const data = Float32Array.from(arrays.get('model.level_embed')?.data as Float32Array);
    data[5] = Number.POSITIVE_INFINITY;
    const { shape } = arrays.get('model.level_embed') as NamedArray;
    await writeSafetensors(
      join(folder, 'model.safetensors'),
      new Map([...arrays, ['model.level_embed', { dtype: 'float32', shape, data }]]),
    );
    const config = parseGroundingDinoConfig(fixtureJson(BASE, 'config.json'));
    await expectError(loadGroundingDino(folder, config), {
      code: 'E_WEIGHTS_NOT_FINITE',
      where: 'model.safetensors',
      what: 'NaN or infinite values in 1 of its weights: model.level_embed (1 of 128 values)',
    });
  });
});
