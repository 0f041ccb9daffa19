import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rawForward } from '../../src/infer/index.js';
import { parseSamConfig, Sam, samAuthorsKeys, samAuthorsUnusedKeys, samConfigFromShapes } from '../../src/models/sam/index.js';
import { parseSam2Config, Sam2, sam2AuthorsKeys, sam2ConfigFromShapes, sam2MemoryKeys } from '../../src/models/sam2/index.js';
import type { Module } from '../../src/nn/index.js';
import { loadSam, loadSam2 } from '../../src/pretrained/index.js';
import { matchesPattern } from '../../src/util/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { type KeyNaming, openWeights, ourKeys, saveCheckpoint, torchShape, underTheirKeys } from '../../src/weights/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

type Arrays = ReadonlyMap<string, NamedArray>;

const dir = temporaryFolder('sam-namings');

/** A published file, what it is in Hugging Face's form, and how to read either. */
const forms = {
  'SAM 2': {
    published: fixturePath('sam2-authors', 'published.pt'),
    folder: fixturePath('sam2-authors'),
    load: (path: string) => loadSam2(path, parseSam2Config(fixtureJson('sam2-authors', 'config.json'))),
    naming: sam2AuthorsKeys as KeyNaming,
    unused: sam2MemoryKeys,
    inputs: { case: 'sam2-authors', names: ['pixel_values', 'input_boxes'] },
  },
  SAM: {
    published: fixturePath('sam-authors', 'published.pth'),
    folder: fixturePath('sam-windows'),
    load: (path: string) => loadSam(path, parseSamConfig(fixtureJson('sam-windows', 'config.json'))),
    naming: samAuthorsKeys as KeyNaming,
    unused: [] as readonly string[],
    inputs: { case: 'sam-windows', names: ['pixel_values', 'input_boxes', 'input_points', 'input_labels'] },
  },
};

async function weightsOf(model: Module): Promise<Arrays> {
  const file = join(dir, 'saved.safetensors');
  await saveCheckpoint(model, file);
  model.dispose();
  return (await readSafetensors(file)).arrays;
}

async function publishedArrays(path: string): Promise<Map<string, NamedArray>> {
  const source = await openWeights(path);
  const arrays = new Map<string, NamedArray>();
  for (const key of source.tensors.keys()) arrays.set(key, await source.read(key));
  await source.close();
  return arrays;
}

function expectSame(got: Arrays, expected: Arrays): void {
  expect([...got.keys()].sort()).toEqual([...expected.keys()].sort());
  const differ = [...expected].filter(
    ([key, { shape, data }]) =>
      got.get(key)?.shape.join() !== shape.join() || !data.every((value, i) => value === got.get(key)?.data[i]),
  );
  expect(differ.map(([key]) => key)).toEqual([]);
}

describe.each(Object.entries(forms))("the authors' naming of %s", (_, { published, folder, load, naming, unused, inputs }) => {
  it('in a published file gives the very weights', async () => {
    const { arrays } = await readSafetensors(join(folder, 'model.safetensors'));
    expectSame(await weightsOf(await load(published)), arrays);
  });

  it('gives the very outputs', async () => {
    const { arrays } = await readSafetensors(fixturePath(inputs.case, 'case.safetensors'));
    const asked = join(dir, 'in.safetensors');
    await writeSafetensors(asked, new Map(inputs.names.map((name) => [name, arrays.get(`in.${name}`) as NamedArray])));
    const run = async (model: string) => {
      const outputs = join(dir, 'out.safetensors');
      await rawForward({ model, inputs: asked, outputs, multimask: true });
      return (await readSafetensors(outputs)).arrays;
    };
    expectSame(await run(published), await run(join(folder, 'model.safetensors')));
  });

  it('comes back with the same keys and bytes, but for what nothing reads', async () => {
    const theirs = await publishedArrays(published);
    const back = underTheirKeys(await weightsOf(await load(folder)), naming);
    expectSame(new Map([...back.keys()].map((key) => [key, theirs.get(key) as NamedArray])), back);
    const rest = [...theirs.keys()].filter((key) => !back.has(key));
    const ours = rest.flatMap((key) => ourKeys(key, naming));
    expect(ours.filter((key) => !unused.some((pattern) => matchesPattern(key, pattern)))).toEqual([]);
    expect(unused.filter((pattern) => !ours.some((key) => matchesPattern(key, pattern)))).toEqual([]);
  });

  it('is strict: a key more or fewer is refused', async () => {
    const theirs = await publishedArrays(published);
    const key = [...theirs.keys()].find((name) => name.endsWith('mask_decoder.mask_tokens.weight')) as string;
    theirs.set(`${key}s`, theirs.get(key) as NamedArray);
    theirs.delete(key);
    const file = join(dir, 'changed.safetensors');
    await writeSafetensors(file, theirs);
    await expectError(load(file), {
      code: 'E_WEIGHTS_MISMATCH',
      what: /1 unexpected: \S*mask_tokens\.weights .*1 missing: mask_decoder\.mask_tokens\.weight/,
    });
  });
});

describe("Meta's files of SAM 2.0", () => {
  it('lack two kinds of weights of memory that those of 2.1 have', async () => {
    const { published, folder, load } = forms['SAM 2'];
    const theirs = await publishedArrays(published);
    const older = [...theirs].filter(([key]) => key !== 'no_obj_embed_spatial' && !key.startsWith('obj_ptr_tpos_proj.'));
    expect(older.length).toBe(theirs.size - 3);
    const file = join(dir, 'older.safetensors');
    await writeSafetensors(file, new Map(older));
    expectSame(await weightsOf(await load(file)), (await readSafetensors(join(folder, 'model.safetensors'))).arrays);
  });

  it('are refused when one of the kinds of points is missing', async () => {
    const { published, load } = forms['SAM 2'];
    const theirs = await publishedArrays(published);
    theirs.delete('sam_prompt_encoder.point_embeddings.2.weight');
    const file = join(dir, 'fewer.safetensors');
    await writeSafetensors(file, theirs);
    await expectError(load(file), {
      code: 'E_WEIGHTS_MISMATCH',
      what: 'sam_prompt_encoder.point_embeddings.2.weight is missing',
    });
  });
});

describe("exceptions in the authors' files of SAM", () => {
  it('takes wrapped weights, as MedSAM trains them, and buffers that nothing reads', async () => {
    const { published, folder, load } = forms.SAM;
    const theirs = await publishedArrays(published);
    const wrapped = new Map([...theirs].map(([key, array]) => [`module.${key}`, array]));
    for (const key of samAuthorsUnusedKeys) wrapped.set(key, { dtype: 'float32', shape: [3, 1, 1], data: new Float32Array(3) });
    const file = join(dir, 'wrapped.safetensors');
    await writeSafetensors(file, wrapped);
    expectSame(await weightsOf(await load(file)), (await readSafetensors(join(folder, 'model.safetensors'))).arrays);
  });

  it("takes the copy of the shared embedding that Hugging Face's older files hold, if it is one", async () => {
    const { folder, load } = forms.SAM;
    const { arrays } = await readSafetensors(join(folder, 'model.safetensors'));
    const [own, copy] = ['shared_image_embedding.positional_embedding', 'prompt_encoder.shared_embedding.positional_embedding'];
    const shared = arrays.get(own) as NamedArray;
    const file = join(dir, 'copies.safetensors');
    await writeSafetensors(file, new Map([...arrays, [copy, shared]]));
    expectSame(await weightsOf(await load(file)), arrays);
    await writeSafetensors(
      file,
      new Map([...arrays, [copy, { ...shared, data: shared.data.map((x) => x + 1) as Float32Array }]]),
    );
    await expectError(load(file), {
      code: 'E_WEIGHTS_MISMATCH',
      what: /positional_embedding should be a copy of .*positional_embedding, but differs/,
    });
  });
});

/** Shapes as a checkpoint of the model holds them. */
function shapesOf(model: Module): Map<string, { shape: number[] }> {
  return new Map([...model.namedParameters()].map(([path, { shape, layout }]) => [path, { shape: torchShape(shape, layout) }]));
}

describe('the configuration of weights without config.json', () => {
  const large = { embed_dim_per_stage: [144, 288, 576, 1152], num_attention_heads_per_stage: [2, 4, 8, 16] };
  const basePlus = { embed_dim_per_stage: [112, 224, 448, 896], num_attention_heads_per_stage: [2, 4, 8, 16] };
  const sam2 = {
    tiny: {},
    small: { backbone_config: { blocks_per_stage: [1, 2, 11, 2], global_attention_blocks: [7, 10, 13] } },
    'base plus': {
      backbone_config: {
        ...basePlus,
        hidden_size: 112,
        blocks_per_stage: [2, 3, 16, 3],
        global_attention_blocks: [12, 16, 20],
        window_positional_embedding_background_size: [14, 14],
      },
      backbone_channel_list: [896, 448, 224, 112],
    },
    large: {
      backbone_config: {
        ...large,
        hidden_size: 144,
        blocks_per_stage: [2, 6, 36, 4],
        global_attention_blocks: [23, 33, 43],
        window_size_per_stage: [8, 4, 16, 8],
      },
      backbone_channel_list: [1152, 576, 288, 144],
    },
  };
  it.each(Object.entries(sam2))('is that of SAM 2 %s', (_name, vision_config) => {
    const config = parseSam2Config({ vision_config });
    expect(parseSam2Config(sam2ConfigFromShapes(shapesOf(new Sam2(config))))).toEqual(config);
  });

  it('is that of SAM 2.1 tiny at 512 pixels for the files of MedSAM2, whose shapes do not show it', () => {
    const shapes = shapesOf(new Sam2(parseSam2Config({ vision_config: sam2.tiny })));
    const sizeOf = (file?: string) => parseSam2Config(sam2ConfigFromShapes(shapes, file)).promptEncoder.imageSize;
    expect(['MedSAM2_latest.pt', 'MedSAM2_US_Heart.pt', 'sam2.1_hiera_tiny.pt', undefined].map(sizeOf)).toEqual([
      512, 512, 1024, 1024,
    ]);
  });

  const sam = {
    'ViT-B': {},
    'ViT-L': { hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, global_attn_indexes: [5, 11, 17, 23] },
    'ViT-H': { hidden_size: 1280, num_hidden_layers: 32, num_attention_heads: 16, global_attn_indexes: [7, 15, 23, 31] },
  };
  it.each(Object.entries(sam))('is that of SAM %s', (_name, vision_config) => {
    const config = parseSamConfig({ vision_config });
    expect(parseSamConfig(samConfigFromShapes(shapesOf(new Sam(config))))).toEqual(config);
  });

  it('is refused where shapes do not tell', () => {
    const other = shapesOf(new Sam2(parseSam2Config({ vision_config: { backbone_config: { blocks_per_stage: [1, 2, 8, 2] } } })));
    expectError(() => sam2ConfigFromShapes(other), {
      code: 'E_MODEL_INCOMPLETE',
      where: 'SAM 2 weights without config.json',
      what: 'a backbone of 13 blocks in 4 stages from width 96 is none that was published',
    });
    const plain = shapesOf(new Sam(parseSamConfig(fixtureJson('sam-plain', 'config.json'))));
    expectError(() => samConfigFromShapes(plain), {
      code: 'E_MODEL_INCOMPLETE',
      where: 'SAM weights without config.json',
      what: 'there is no vision_encoder.layers.0.attn.rel_pos_h',
    });
  });
});
