import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  parseSam2VideoConfig,
  Sam2Video,
  sam2AuthorsKeys,
  sam2ConfigFromShapes,
  sam2MemoryKeys,
} from '../../src/models/sam2/index.js';
import { loadSam2Masker, loadSam2VideoParts } from '../../src/pretrained/index.js';
import { matchesPattern, Rng } from '../../src/util/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { type KeyNaming, openWeights, ourKeys, torchShape, underTheirKeys } from '../../src/weights/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('load-sam2-video');
const naming = sam2AuthorsKeys as KeyNaming;
const isMemory = (key: string) => sam2MemoryKeys.some((pattern) => matchesPattern(key, pattern));

async function weights(): Promise<Map<string, NamedArray>> {
  return new Map((await readSafetensors(fixturePath('sam2-video', 'model.safetensors'))).arrays);
}

/** A model folder with these weights. */
async function folderOf(name: string, arrays: ReadonlyMap<string, NamedArray>, config = 'sam2-video'): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder, { recursive: true });
  await copyFile(fixturePath(config, 'config.json'), join(folder, 'config.json'));
  await writeSafetensors(join(folder, 'model.safetensors'), arrays);
  return folder;
}

async function valuesOf({ model }: { readonly model: Sam2Video }): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>();
  for (const [path, { value }] of model.namedParameters()) values.set(path, [...(await value.data())]);
  model.dispose();
  return values;
}

describe('a published folder of a video model', () => {
  it('has exactly the weights of the model: none is skipped', () => {
    const keys = Object.keys(fixtureJson('sam2-video-keys', 'keys.json') as object);
    const model = new Sam2Video(parseSam2VideoConfig({}));
    expect([...model.namedParameters()].map(([path]) => path).sort()).toEqual(keys.sort());
  });

  it('is refused when a weight of the memory is missing, or there is one more', async () => {
    const arrays = await weights();
    arrays.set('memory_attention.layer_norm.scale', arrays.get('memory_attention.layer_norm.weight') as NamedArray);
    arrays.delete('memory_attention.layer_norm.weight');
    await expectError(loadSam2VideoParts(await folderOf('changed', arrays)), {
      code: 'E_WEIGHTS_MISMATCH',
      what: /1 unexpected: memory_attention\.layer_norm\.scale.*1 missing: memory_attention\.layer_norm\.weight/,
    });
  });

  it('of SAM 2.0 lacks two parts, and may not have them', async () => {
    const arrays = await weights();
    await expectError(loadSam2VideoParts(await folderOf('newer', arrays, 'sam2-video-older')), { code: 'E_WEIGHTS_MISMATCH' });
    for (const key of [...arrays.keys()]) if (/^temporal_|^occlusion_/.test(key)) arrays.delete(key);
    const { model } = await loadSam2VideoParts(await folderOf('older', arrays, 'sam2-video-older'));
    expect([...model.namedParameters()].length).toBe(arrays.size);
    model.dispose();
  });

  it('also gives the image model, which skips the memory', async () => {
    const { model } = await loadSam2Masker(fixturePath('sam2-video'));
    const own = [...model.namedParameters()].map(([path]) => path);
    model.dispose();
    expect(own.some(isMemory)).toBe(false);
    expect(own.sort()).toEqual([...(await weights()).keys()].filter((key) => !isMemory(key)).sort());
  });

  it('of an image model is refused as one without memory', async () => {
    await expectError(loadSam2VideoParts('weights/nano-sam2'), {
      code: 'E_MODEL_CONFIG',
      what: /an image model, without memory/,
    });
  });
});

describe('a shipped masker', () => {
  it('takes a small memory when its fields are added, and random weights for it', async () => {
    const json = JSON.parse(await readFile('weights/ultrasound-masker/config.json', 'utf8')) as object;
    const width = { memory_attention_hidden_size: 96, memory_encoder_hidden_size: 96, mask_downsampler_embed_dim: 96 };
    const small = {
      memory_attention_num_layers: 2,
      memory_attention_feed_forward_hidden_size: 192,
      memory_fuser_intermediate_dim: 192,
    };
    const config = { ...json, ...width, ...small, memory_fuser_embed_dim: 96, memory_encoder_output_channels: 32 };
    const folder = join(dir, 'nano');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const { model } = await loadSam2VideoParts(folder, { random: Rng.seeded(1) });
    const own = [...model.namedParameters()].filter(([path]) => isMemory(path));
    expect(own.every(([, { isSet }]) => isSet)).toBe(true);
    expect(own.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBeLessThan(1e6);
    model.dispose();
  });
});

describe("Meta's files", () => {
  it('name every weight of the memory, and no other', async () => {
    const source = await openWeights(fixturePath('sam2-authors', 'published.pt'));
    const found = [...source.tensors.keys()].flatMap((key) => ourKeys(key, naming)).filter(isMemory);
    await source.close();
    const model = new Sam2Video(parseSam2VideoConfig({}));
    expect(found.sort()).toEqual([...model.namedParameters()].flatMap(([path]) => (isMemory(path) ? [path] : [])).sort());
  });

  it('give the very weights', async () => {
    const arrays = await weights();
    // Prompts and images share one embedding there.
    const places = 'shared_image_embedding.positional_embedding';
    arrays.set(places, arrays.get('prompt_encoder.shared_embedding.positional_embedding') as NamedArray);
    const [theirs, ours] = [await folderOf('theirs', underTheirKeys(arrays, naming)), await folderOf('ours', arrays)];
    expect(await valuesOf(await loadSam2VideoParts(theirs))).toEqual(await valuesOf(await loadSam2VideoParts(ours)));
  });

  it.each([
    ['SAM 2.1', 'sam2.1_hiera_tiny.pt', 1024, {}],
    [
      'SAM 2.0',
      'sam2_hiera_tiny.pt',
      1024,
      { enable_occlusion_spatial_embedding: false, enable_temporal_pos_encoding_for_object_pointers: false },
    ],
    ['MedSAM2', 'MedSAM2_latest.pt', 512, { prompt_encoder_config: { image_size: 512 } }],
  ])('of %s show their configuration', (_name, file, side, fields) => {
    const config = parseSam2VideoConfig(fields);
    const shapes = new Map(
      [...new Sam2Video(config).namedParameters()].map(([path, { shape, layout }]) => [
        path,
        { shape: torchShape(shape, layout) },
      ]),
    );
    const derived = sam2ConfigFromShapes(shapes, file);
    expect(derived['model_type']).toBe('sam2_video');
    expect(parseSam2VideoConfig(derived)).toEqual(config);
    expect(config.promptEncoder.imageSize).toBe(side);
  });
});
