import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rawForward } from '../../src/infer/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

const dir = temporaryFolder('raw-biomed-parse');
const FILES = {
  model: fixturePath('biomed-parse', 'published.pt'),
  inputs: join(dir, 'in.safetensors'),
  outputs: join(dir, 'out.safetensors'),
};

/** Three texts of different lengths, padded to the longest. */
async function writeInputs(changed: Record<string, NamedArray> = {}, metadata: Record<string, string> = {}): Promise<void> {
  const golden = await GoldenCase.read('biomed-parse');
  const texts = [0, 1, 2].map((i) => Array.from(golden.array(`in.ids.${i}`).data));
  const rows = (of: (text: readonly number[]) => number[]) => Int32Array.from(texts.flatMap((text) => of(text).slice(0, 6)));
  const ids = rows((text) => [...text, ...Array<number>(6).fill(39)]);
  const mask = rows((text) => [...text.map(() => 1), ...Array<number>(6).fill(0)]);
  const array = (data: Int32Array): NamedArray => ({ dtype: 'int32', shape: [3, 6], data });
  const inputs = {
    pixel_values: golden.array('in.pixel_values'),
    input_ids: array(ids),
    attention_mask: array(mask),
    ...changed,
  };
  await writeSafetensors(FILES.inputs, new Map(Object.entries(inputs)), { metadata });
}

describe('a raw forward pass of BiomedParse', () => {
  it('takes padded texts as one prompt, and gives what the reference does, with the states on request', async () => {
    const golden = await GoldenCase.read('biomed-parse');
    for (const states of [false, true]) {
      await writeInputs({}, { hidden_states: String(states) });
      expect(await leakOf(() => rawForward(FILES))).toBe(0);
      const { arrays } = await readSafetensors(FILES.outputs);
      for (const [name, expected] of [['pred_masks', 'masks'], ['similarity', 'similarity']] as const) // biome-ignore format: one line
        expect(relativeError(arrays.get(name)?.data ?? [], golden.array(`out.all.${expected}`).data)).toBeLessThan(
          TOLERANCE.masker,
        );
      const others = [...arrays.keys()].filter((name) => !['pred_masks', 'class_embeds', 'similarity'].includes(name));
      expect(others.length > 0).toBe(states);
      if (!states) continue;
      expect(others).toContain('sem_seg_head.predictor.transformer_ffn_layers.3.words');
      const blocked = arrays.get('sem_seg_head.predictor.transformer_cross_attention_layers.3.blocked');
      const { shape: [, queries = 0, cells = 0] = [], data: [...cellsOf] = [] } = blocked ?? {};
      expect(new Set(cellsOf)).toEqual(new Set([0, 1]));
      for (let q = 0; q < queries; q++) expect(cellsOf.slice(q * cells, (q + 1) * cells)).toContain(0);
      const map = arrays.get('backbone.norm3');
      expect(relativeError(map?.data ?? [], golden.array('mid.backbone.norm3').data)).toBeLessThan(TOLERANCE.encoder);
    }
  });

  it('names every input that does not fit', async () => {
    const ones = (shape: number[]): NamedArray => ({
      dtype: 'float32',
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b)),
    });
    await writeInputs({ pixel_values: ones([1, 3, 64, 80]), input_boxes: ones([1, 1, 4]) });
    await expectError(rawForward(FILES), {
      code: 'E_INPUT_INVALID',
      what: /multiples of 32, got 80x64.*input_boxes is not an input/s,
    });
    await writeInputs({ input_ids: { dtype: 'int32', shape: [3, 6], data: new Int32Array(18).fill(40) } });
    await expectError(rawForward(FILES), { code: 'E_INPUT_INVALID', what: 'input_ids: expected integers from 0 to 39, got 40' });
    await writeInputs({ pixel_values: ones([2, 3, 64, 64]) });
    await expectError(rawForward(FILES), { code: 'E_INPUT_INVALID', what: 'pixel_values: expected shape [1, 3, H, W]' });
    await expectError(rawForward({ ...FILES, blocks: true }), { code: 'E_OPTION_CONFLICT', where: '--blocks' });
  });
});
