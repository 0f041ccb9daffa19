import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { adaptersIn, applyLora, type LoraSpec, mergeLora, setAdapterScale } from '../../src/lora/index.js';
import {
  type GroundingDino,
  groundingDinoToHuggingFace,
  parseGroundingDinoConfig,
} from '../../src/models/grounding-dino/index.js';
import { parseSam2Config } from '../../src/models/sam2/index.js';
import { inference } from '../../src/nn/index.js';
import { loadAdapter, loadGroundingDino, loadSam2, saveAdapter } from '../../src/pretrained/index.js';
import { CheckpointError, Rng } from '../../src/util/index.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose, relativeError } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const BASE = 'grounding-dino-four-levels';
const ADAPTER = fixturePath('lora-detector');
const WEIGHTS = 'adapter_model.safetensors';

const dir = temporaryFolder('adapter');

const detector = (adapter?: string) =>
  loadGroundingDino(fixturePath(BASE), parseGroundingDinoConfig(fixtureJson(BASE, 'config.json')), { adapter });

async function answer(model: GroundingDino) {
  const golden = await GoldenCase.read(BASE);
  const attentionMask = golden.tensor<tf.Tensor2D>('in.attention_mask');
  const outputs = model.forward(
    {
      pixelValues: golden.image('in.pixel_values'),
      pixelMask: golden.tensor<tf.Tensor3D>('in.pixel_mask'),
      inputIds: golden.tensor<tf.Tensor2D>('in.input_ids'),
      attentionMask,
      tokenTypeIds: golden.tensor<tf.Tensor2D>('in.token_type_ids'),
    },
    inference,
  );
  return groundingDinoToHuggingFace(outputs, attentionMask, model.config);
}

describe('an adapter that peft wrote', () => {
  // 1e-3 is the tolerance of a whole model.
  it('gives the outputs that it gives there, merged or not', async () => {
    const golden = await GoldenCase.read('lora-detector');
    const model = await detector(ADAPTER);
    for (const merged of [false, true]) {
      if (merged) mergeLora(model);
      const { logits, predBoxes } = await answer(model);
      await expectClose(logits, golden.tensor('out.logits'), 1e-3);
      await expectClose(predBoxes, golden.tensor('out.pred_boxes'), 1e-3);
    }
    const bare = await answer(await detector());
    expect(relativeError(await bare.predBoxes.data(), await golden.tensor('out.pred_boxes').data())).toBeGreaterThan(1e-2);
  });

  it('leaves exactly its own parameters trainable', async () => {
    const model = await detector(ADAPTER);
    const free = [...model.namedParameters()].filter(([, parameter]) => parameter.trainable).map(([path]) => path);
    expect(free.filter((path) => path.includes('.lora_')).length).toBe(108);
    expect(free.filter((path) => !path.includes('.lora_')).every((path) => path.startsWith('bbox_embed.0.layers.'))).toBe(true);
  });
});

describe('merging an adapter into the detector', () => {
  it.each(['paper', 'paper-code'])('%s: changes no output by more than 1e-5', async (name) => {
    const model = await detector(fixturePath(`lora-written/${name}`));
    const apart = await answer(model);
    mergeLora(model);
    const merged = await answer(model);
    await expectClose(merged.logits, apart.logits, 1e-5);
    await expectClose(merged.predBoxes, apart.predBoxes, 1e-5);
  });
});

describe('an adapter that is written here', () => {
  // The paper's set with a head that is trained whole, and the published code's with adapters in that head.
  it.each(['paper', 'paper-code'])('%s gives the same outputs in Python, and is written identically', async (name) => {
    const folder = fixturePath(`lora-written/${name}`);
    const golden = await GoldenCase.read(`lora-written/${name}`);
    const model = await detector(folder);
    const { logits, predBoxes } = await answer(model);
    await expectClose(logits, golden.tensor('out.logits'), 1e-3);
    await expectClose(predBoxes, golden.tensor('out.pred_boxes'), 1e-3);
    await saveAdapter(model, dir, fixtureJson(`lora-written/${name}`, 'spec.json') as LoraSpec);
    for (const file of [WEIGHTS, 'adapter_config.json'])
      expect((await readFile(join(dir, file))).equals(await readFile(join(folder, file)))).toBe(true);
  });
});

describe('an adapter of the masker that is written here', () => {
  it('gives in Python what it gives here, and is written the same again', async () => {
    const folder = fixturePath('lora-written/mask-decoder');
    const [golden, base] = [await GoldenCase.read('lora-written/mask-decoder'), await GoldenCase.read('sam2-stable')];
    const model = await loadSam2(fixturePath('sam2-stable'), parseSam2Config(fixtureJson('sam2-stable', 'config.json')), {
      adapter: folder,
    });
    const features = model.encodeImage(base.image('in.pixel_values'), inference);
    const boxes = base.tensor<tf.Tensor3D>('in.input_boxes');
    const { predMasks, iouScores } = model.decodeMasks({ features, boxes, multimask: false }, inference);
    await expectClose(predMasks, golden.tensor('out.pred_masks'), 1e-3);
    await expectClose(iouScores, golden.tensor('out.iou_scores'), 1e-3);
    await saveAdapter(model, dir, fixtureJson('lora-written/mask-decoder', 'spec.json') as LoraSpec);
    for (const file of [WEIGHTS, 'adapter_config.json'])
      expect((await readFile(join(dir, file))).equals(await readFile(join(folder, file)))).toBe(true);
  });
});

describe("an adapter over the authors' names", () => {
  it('gives the outputs of the same matrices in Python, from the file that their script leaves', async () => {
    const golden = await GoldenCase.read('lora-authors');
    const model = await detector(fixturePath('lora-authors', 'best_model.pth'));
    const { logits, predBoxes } = await answer(model);
    await expectClose(logits, golden.tensor('out.logits'), 1e-3);
    await expectClose(predBoxes, golden.tensor('out.pred_boxes'), 1e-3);
    const adapters = adaptersIn(model);
    expect(adapters.every(({ module }) => module.rank === 3 && module.alpha === 3)).toBe(true);
    // 2 encoder layers of 5, 3 decoder layers of 8, two layers of the shared head, the feature map.
    expect(adapters.length).toBe(2 * 5 + 3 * 8 + 2 + 1);
  });
});

describe('setAdapterScale', () => {
  it('leads back to the base model exactly, and to the adapter again', async () => {
    const [base, model] = [await answer(await detector()), await detector(ADAPTER)];
    const tuned = await answer(model);
    const values = async ({ logits, predBoxes }: typeof base) => [...(await logits.data()), ...(await predBoxes.data())];
    setAdapterScale(model, 0);
    expect(await values(await answer(model))).toEqual(await values(base));
    setAdapterScale(model, 0.5);
    const half = await values(await answer(model));
    setAdapterScale(model, 1);
    expect(await values(await answer(model))).toEqual(await values(tuned));
    for (const other of [base, tuned]) {
      const finite = (all: number[]) => all.filter(Number.isFinite);
      expect(relativeError(finite(half), finite(await values(other)))).toBeGreaterThan(1e-3);
    }
    expect(() => setAdapterScale(model, Number.NaN)).toThrow('the scale is NaN');
  });
});

describe('saveAdapter and loadAdapter', () => {
  const spec: LoraSpec = {
    rank: 3,
    alpha: 6,
    targetModules: ['model.decoder.layers.*.fc1', 'model.text_projection'],
    rankPattern: { 'model.text_projection': 2 },
    alphaPattern: { 'model.decoder.layers.1.*': 5 },
    modulesToSave: ['bbox_embed.*'],
  };

  async function trained(): Promise<GroundingDino> {
    const model = await detector();
    applyLora(model, spec, Rng.seeded(1));
    for (const parameter of model.trainableParameters())
      parameter.assign(tf.tidy(() => tf.add(parameter.value, tf.randomNormal([...parameter.shape], 0, 0.05, 'float32', 7))));
    return model;
  }

  it('give back the same outputs', async () => {
    const model = await trained();
    await saveAdapter(model, dir, spec);
    const [saved, read] = [await answer(model), await answer(await detector(dir))];
    expect([...(await read.logits.data())]).toEqual([...(await saved.logits.data())]);
    expect([...(await read.predBoxes.data())]).toEqual([...(await saved.predBoxes.data())]);
  });

  it("write peft's names and settings, a shared layer once, and nothing else", async () => {
    await saveAdapter(await trained(), dir, spec);
    const { arrays } = await readSafetensors(join(dir, WEIGHTS));
    const layers = [
      'model.decoder.layers.0.fc1',
      'model.decoder.layers.1.fc1',
      'model.decoder.layers.2.fc1',
      'model.text_projection',
    ];
    const halves = layers.flatMap((path) => [`${path}.lora_A.weight`, `${path}.lora_B.weight`]);
    const head = [0, 1, 2].flatMap((i) => [`bbox_embed.0.layers.${i}.weight`, `bbox_embed.0.layers.${i}.bias`]);
    expect(new Set(arrays.keys())).toEqual(new Set([...halves, ...head].map((name) => `base_model.model.${name}`)));
    expect(arrays.get('base_model.model.model.text_projection.lora_A.weight')?.shape).toEqual([2, 16]);
    const config = JSON.parse(await readFile(join(dir, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({
      peft_type: 'LORA',
      r: 3,
      lora_alpha: 6,
      target_modules: expect.arrayContaining(layers),
      modules_to_save: ['base_model.model.bbox_embed.0'],
      rank_pattern: { 'model\\.text_projection': 2 },
      alpha_pattern: { 'model\\.decoder\\.layers\\.1\\.fc1': 5 },
    });
    expect((await readdir(dir)).sort()).toEqual(['adapter_config.json', WEIGHTS]);
  });

  it('list everything that does not fit', async () => {
    const broken = await mkdtemp(join(dir, 'broken-'));
    const { arrays } = await readSafetensors(join(ADAPTER, WEIGHTS));
    const changed = new Map(arrays);
    const at = (path: string) => `model.decoder.layers.${path}`;
    changed.delete(at('0.fc1.lora_B.weight'));
    changed.set(at('9.fc1.lora_A.weight'), arrays.get(at('0.fc1.lora_A.weight')) as never);
    changed.set(at('9.fc1.lora_B.weight'), arrays.get(at('0.fc1.lora_B.weight')) as never);
    changed.set(at('1.fc1.lora_A.weight'), arrays.get(at('1.fc2.lora_A.weight')) as never);
    changed.set('odd.weight', arrays.get(at('0.fc1.lora_A.weight')) as never);
    const config = await readFile(join(ADAPTER, 'adapter_config.json'), 'utf8');
    await writeFile(join(broken, 'adapter_config.json'), config);
    await writeSafetensors(join(broken, WEIGHTS), changed);
    const error = await detector(broken).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    const { message } = error as Error;
    expect(message).toContain(join(broken, WEIGHTS));
    expect(message).toContain('model.decoder.layers.0.fc1.lora_A.weight comes alone');
    expect(message).toContain('model.decoder.layers.9.fc1 is not in the model');
    expect(message).toContain('model.decoder.layers.1.fc1.lora_A.weight: expected shape');
    expect(message).toContain('odd.weight is unexpected');
  });

  it('report what is wrong with a configuration or a file', async () => {
    const other = await mkdtemp(join(dir, 'wrong-'));
    const config = JSON.parse(await readFile(join(ADAPTER, 'adapter_config.json'), 'utf8'));
    const { arrays } = await readSafetensors(join(ADAPTER, WEIGHTS));
    await writeSafetensors(join(other, WEIGHTS), arrays);
    const failure = async (changes: object) => {
      await writeFile(join(other, 'adapter_config.json'), JSON.stringify({ ...config, ...changes }));
      return ((await detector(other).catch((thrown: unknown) => thrown)) as Error).message;
    };
    await expectError(detector(other), { code: 'E_FILE_NOT_FOUND', where: 'adapter_config.json' });
    expect(await failure({ r: 5 })).toMatch(/has rank 3, its configuration says 5/);
    expect(await failure({ rank_pattern: { '(': 3 } })).toContain('not a regular expression');
    expect(await failure({ layer_replication: [[0, 4]], use_qalora: true })).toMatch(/use_qalora.*layer_replication/);
    expect(await failure({ peft_type: 'IA3' })).toContain('Only plain LoRA adapters of PEFT can be read');
    await expectError(detector(join(other, 'none.pth')), { code: 'E_ADAPTER_NOT_FOUND', where: join(other, 'none.pth') });
    await expectError(detector(fixturePath('torch-objects', 'small.pth')), {
      code: 'E_ADAPTER_MISMATCH',
      what: 'x is unexpected',
    });
    await writeSafetensors(join(other, 'nothing.safetensors'), new Map());
    await writeFile(join(other, 'adapter_config.json'), JSON.stringify(config));
    await expectError(detector(join(other, 'nothing.safetensors')), { code: 'E_ADAPTER_MISMATCH', what: 'it holds nothing' });
  });

  it('follow rank-stabilised scaling, and keep it when written again', async () => {
    const other = await mkdtemp(join(dir, 'rslora-'));
    const config = JSON.parse(await readFile(join(ADAPTER, 'adapter_config.json'), 'utf8'));
    const { arrays } = await readSafetensors(join(ADAPTER, WEIGHTS));
    await writeSafetensors(join(other, WEIGHTS), arrays);
    await writeFile(join(other, 'adapter_config.json'), JSON.stringify({ ...config, use_rslora: true }));
    const model = await detector(other);
    const scales = (of: GroundingDino) => adaptersIn(of).map(({ module }) => module.alpha / module.rank);
    const plain = scales(await detector(ADAPTER));
    expect(plain.length).toBeGreaterThan(0);
    expect(adaptersIn(model)).toHaveLength(plain.length);
    for (const [i, { module }] of adaptersIn(model).entries())
      expect(scales(model)[i]).toBeCloseTo((plain[i] as number) * Math.sqrt(module.rank), 6);
    await saveAdapter(model, dir, { rank: 3, alpha: 5, targetModules: [] });
    expect(scales(await detector(dir))).toEqual(scales(model));
  });

  it('refuse forms of LoRA that compute something else, and copies that differ', async () => {
    const other = await mkdtemp(join(dir, 'other-'));
    const config = JSON.parse(await readFile(join(ADAPTER, 'adapter_config.json'), 'utf8'));
    await writeFile(join(other, 'adapter_config.json'), JSON.stringify({ ...config, use_dora: true, bias: 'all' }));
    const model = await detector();
    await expectError(loadAdapter(model, other), { code: 'E_ADAPTER_FORMAT', where: 'adapter_config.json', what: 'use_dora' });
    await expectError(loadAdapter(model, join(other, 'none')), { code: 'E_ADAPTER_NOT_FOUND' });
    await writeFile(join(other, 'adapter_config.json'), JSON.stringify(config));
    const { arrays } = await readSafetensors(join(ADAPTER, WEIGHTS));
    (arrays.get('model.decoder.bbox_embed.2.layers.1.bias')?.data as Float32Array)[0] = 3;
    await writeSafetensors(join(other, WEIGHTS), arrays);
    await expectError(detector(other), {
      code: 'E_ADAPTER_MISMATCH',
      what: 'model.decoder.bbox_embed.2.layers.1.bias should be a copy, but differs',
    });
  });
});
