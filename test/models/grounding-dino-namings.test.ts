import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type GroundingDino,
  groundingDinoAuthorsKeys,
  groundingDinoAuthorsUnusedKeys,
  parseGroundingDinoConfig,
} from '../../src/models/grounding-dino/index.js';
import { loadGroundingDino } from '../../src/pretrained/index.js';
import { matchesPattern } from '../../src/util/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { openWeights, saveCheckpoint, underTheirKeys } from '../../src/weights/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const ours = fixturePath('grounding-dino-four-levels', 'model.safetensors');
const published = fixturePath('torch-authors', 'published.pth');
const config = parseGroundingDinoConfig(fixtureJson('grounding-dino-four-levels', 'config.json'));

const dir = temporaryFolder('namings');

/** The model's weights as it would save them. */
async function weightsOf(model: GroundingDino): Promise<ReadonlyMap<string, NamedArray>> {
  const file = join(dir, 'saved.safetensors');
  await saveCheckpoint(model, file);
  model.dispose();
  return (await readSafetensors(file)).arrays;
}

/** What the fixture holds, but for the norm that no forward pass reads. */
async function original(): Promise<Map<string, NamedArray>> {
  const { arrays } = await readSafetensors(ours);
  return new Map([...arrays].filter(([key]) => !key.includes('.swin.layernorm.')));
}

function expectSame(got: ReadonlyMap<string, NamedArray>, expected: ReadonlyMap<string, NamedArray>): void {
  expect([...got.keys()].sort()).toEqual([...expected.keys()].sort());
  const differ = [...expected].filter(
    ([key, { shape, data }]) =>
      got.get(key)?.shape.join() !== shape.join() || !data.every((value, i) => value === got.get(key)?.data[i]),
  );
  expect(differ.map(([key]) => key)).toEqual([]);
}

async function load(path: string): Promise<ReadonlyMap<string, NamedArray>> {
  return weightsOf(await loadGroundingDino(path, config));
}

async function withChanges(change: (arrays: Map<string, NamedArray>) => void): Promise<string> {
  const { arrays } = await readSafetensors(ours);
  const changed = new Map(arrays);
  change(changed);
  const file = join(dir, 'changed.safetensors');
  await writeSafetensors(file, changed);
  return file;
}

describe("the authors' naming", () => {
  it('in a published .pth gives the very weights', async () => {
    expectSame(await load(published), await original());
  });

  it('comes back with the same keys and bytes, but for what nothing reads and for copies', async () => {
    const source = await openWeights(published);
    const back = underTheirKeys(await original(), groundingDinoAuthorsKeys);
    const theirs = [...back.keys()].map(async (key) => [key, await source.read(`module.${key}`)] as const);
    expectSame(new Map(await Promise.all(theirs)), back);
    const rest = [...source.tensors.keys()].map((key) => key.replace('module.', '')).filter((key) => !back.has(key));
    await source.close();
    const unused = [
      ...groundingDinoAuthorsUnusedKeys,
      'bert.pooler.**',
      'bert.embeddings.position_ids',
      '**.relative_position_index',
      'bbox_embed.{1,2}.**',
      'transformer.decoder.bbox_embed.*.**',
    ];
    expect(rest.filter((key) => !unused.some((pattern) => matchesPattern(key, pattern)))).toEqual([]);
    expect(unused.filter((pattern) => !rest.some((key) => matchesPattern(key, pattern)))).toEqual([]);
  });
});

describe("exceptions in Hugging Face's naming", () => {
  it('takes equal copies of the box head, and buffers and norms that nothing reads', async () => {
    const file = await withChanges((arrays) => {
      for (const [key, array] of [...arrays]) {
        if (key.startsWith('bbox_embed.0.')) {
          for (const i of [1, 2]) arrays.set(key.replace('.0.', `.${i}.`), array);
          for (const i of [0, 1, 2]) arrays.set(`model.decoder.${key.replace('.0.', `.${i}.`)}`, array);
        }
      }
      const one: NamedArray = { dtype: 'float32', shape: [1], data: Float32Array.of(1) };
      const swin = 'model.backbone.conv_encoder.model';
      arrays.set(`${swin}.swin.layernorm.weight`, one);
      arrays.set(`${swin}.encoder.layers.0.blocks.0.attention.self.relative_position_index`, one);
      arrays.set('model.text_backbone.embeddings.position_ids', one);
    });
    expectSame(await load(file), await original());
  });

  it('refuses copies that differ', async () => {
    const file = await withChanges((arrays) => {
      const head = arrays.get('bbox_embed.0.layers.0.bias') as NamedArray;
      arrays.set('model.decoder.bbox_embed.2.layers.0.bias', { ...head, data: head.data.map((x) => x + 1) as Float32Array });
    });
    await expectError(load(file), {
      code: 'E_WEIGHTS_MISMATCH',
      what: 'model.decoder.bbox_embed.2.layers.0.bias should be a copy of bbox_embed.0.layers.0.bias, but differs',
    });
  });

  it('refuses missing and unexpected keys', async () => {
    const file = await withChanges((arrays) => {
      arrays.delete('model.level_embed');
      arrays.set('model.level_embedd', { dtype: 'float32', shape: [1], data: Float32Array.of(1) });
    });
    await expectError(load(file), {
      code: 'E_WEIGHTS_MISMATCH',
      what: /1 unexpected: model\.level_embedd \(model\.level_embedd may be model\.level_embed\); 1 missing: model\.level_embed/,
    });
  });
});

describe('MM Grounding DINO', () => {
  const folder = fixturePath('mm-grounding-dino');
  const mm = parseGroundingDinoConfig(fixtureJson('mm-grounding-dino', 'config.json'));

  it('takes the first head for those that a file leaves out, and the own of each layer otherwise', async () => {
    const { arrays } = await readSafetensors(join(folder, 'model.safetensors'));
    const fewer = [...arrays].filter(([key]) => !/^(bbox|class)_embed\.1\./.test(key));
    const file = join(dir, 'fewer.safetensors');
    await writeSafetensors(file, new Map(fewer));
    const own = await weightsOf(await loadGroundingDino(folder, mm));
    const shared = await weightsOf(await loadGroundingDino(file, mm));
    const at = (weights: ReadonlyMap<string, NamedArray>, key: string) => weights.get(key)?.data;
    expect(at(own, 'class_embed.1.bias')).not.toEqual(at(own, 'class_embed.0.bias'));
    expect(at(shared, 'class_embed.1.bias')).toEqual(at(own, 'class_embed.0.bias'));
    expect(at(shared, 'bbox_embed.1.layers.2.weight')).toEqual(at(own, 'bbox_embed.0.layers.2.weight'));
  });
});
