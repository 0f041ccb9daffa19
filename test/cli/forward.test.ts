import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rawForward } from '../../src/infer/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('forward');

/** Runs a fixture's model from file to file. */
async function outputsOf(
  fixture: string,
  take: readonly string[],
  metadata: Record<string, string> = {},
): Promise<ReadonlyMap<string, NamedArray>> {
  const { arrays } = await readSafetensors(fixturePath(fixture, 'case.safetensors'));
  const inputs = new Map(take.map((name) => [name, arrays.get(`in.${name}`) as NamedArray]));
  await writeSafetensors(join(dir, 'in.safetensors'), inputs, { metadata });
  const options = { model: fixturePath(fixture), inputs: join(dir, 'in.safetensors'), outputs: join(dir, 'out.safetensors') };
  expect(await leakOf(() => rawForward(options))).toBe(0);
  return (await readSafetensors(options.outputs)).arrays;
}

async function expectOutputs(
  outputs: ReadonlyMap<string, NamedArray>,
  fixture: string,
  expected: Record<string, string>,
): Promise<void> {
  const golden = await GoldenCase.read(fixture);
  expect(new Set(outputs.keys())).toEqual(new Set(Object.keys(expected)));
  for (const [name, stored] of Object.entries(expected)) {
    const [actual, wanted] = [outputs.get(name), golden.array(stored)];
    expect(actual?.shape).toEqual(wanted.shape);
    // The tolerance of a whole model. Infinities must stand in the same places.
    expect(relativeError(actual?.data ?? [], wanted.data)).toBeLessThan(1e-3);
  }
}

describe('rawForward', () => {
  it.each(['grounding-dino-four-levels', 'grounding-dino-three-levels'])("gives the reference's outputs: %s", async (fixture) => {
    const names = ['pixel_values', 'pixel_mask', 'input_ids', 'attention_mask', 'token_type_ids'];
    await expectOutputs(await outputsOf(fixture, names), fixture, { logits: 'out.logits', pred_boxes: 'out.pred_boxes' });
  });

  const ways = {
    boxes: ['input_boxes'],
    points: ['input_points', 'input_labels'],
    both: ['input_boxes', 'input_points', 'input_labels'],
    none: [],
  };
  const cases = ['sam2-odd', 'sam2-stable'].flatMap((fixture) =>
    Object.entries(ways).flatMap(([way, names]) => ['single', 'multi'].map((masks) => ({ fixture, way, names, masks }))),
  );
  it.each(cases)("gives the reference's outputs: $fixture, $way, $masks", async ({ fixture, way, names, masks }) => {
    // Without the metadata entry one mask is given.
    const metadata: Record<string, string> = masks === 'multi' ? { multimask_output: 'true' } : {};
    const outputs = await outputsOf(fixture, ['pixel_values', ...names], metadata);
    const expected = ['pred_masks', 'iou_scores', 'object_score_logits'].map((name) => [name, `out.${way}.${masks}.${name}`]);
    await expectOutputs(outputs, fixture, Object.fromEntries(expected));
  });

  it('resizes earlier masks to the size that SAM 2 takes', async () => {
    for (const fixture of ['sam2-odd', 'sam2-stable']) {
      const { arrays } = await readSafetensors(fixturePath(fixture, 'case.safetensors'));
      const inputs = new Map(['pixel_values', 'input_boxes'].map((name) => [name, arrays.get(`in.${name}`) as NamedArray]));
      inputs.set('input_masks', arrays.get('in.sized_masks') as NamedArray);
      const files = { inputs: join(dir, 'sized.safetensors'), outputs: join(dir, 'out.safetensors') };
      await writeSafetensors(files.inputs, inputs);
      await rawForward({ model: fixturePath(fixture), ...files, multimask: true });
      const expected = ['pred_masks', 'iou_scores', 'object_score_logits'].map((name) => [name, `out.sized_masks.multi.${name}`]);
      await expectOutputs((await readSafetensors(files.outputs)).arrays, fixture, Object.fromEntries(expected));
    }
  });

  const samWays = { ...ways, masks: ['input_boxes', 'input_masks'], mask_alone: ['input_masks'] };
  const samCases = ['sam-windows', 'sam-plain'].flatMap((fixture) =>
    Object.entries(samWays).flatMap(([way, names]) => ['single', 'multi'].map((masks) => ({ fixture, way, names, masks }))),
  );
  it.each(samCases)("gives the reference's outputs: $fixture, $way, $masks", async ({ fixture, way, names, masks }) => {
    const metadata: Record<string, string> = masks === 'multi' ? { multimask_output: 'true' } : {};
    const outputs = await outputsOf(fixture, ['pixel_values', ...names], metadata);
    const expected = ['pred_masks', 'iou_scores'].map((name) => [name, `out.${way}.${masks}.${name}`]);
    await expectOutputs(outputs, fixture, Object.fromEntries(expected));
  });

  it('refuses what SAM cannot take, everything at once', async () => {
    const { arrays } = await readSafetensors(fixturePath('sam-windows', 'case.safetensors'));
    const array = (name: string) => arrays.get(`in.${name}`) as NamedArray;
    const masks: NamedArray = { dtype: 'float32', shape: [2, 1, 16, 20], data: new Float32Array(640) };
    const labels: NamedArray = { dtype: 'float32', shape: [2, 3, 2], data: new Float32Array(12).fill(7) };
    const inputs = {
      pixel_values: array('pixel_values'),
      input_labels: labels,
      input_masks: masks,
      input_box: array('input_boxes'),
    };
    const files = { inputs: join(dir, 'wrong.safetensors'), outputs: join(dir, 'out.safetensors') };
    await writeSafetensors(files.inputs, new Map(Object.entries(inputs)));
    const run = rawForward({ model: fixturePath('sam-windows'), ...files });
    for (const problem of [
      'input_masks: expected shape [2, 1, 20, 20], got [2, 1, 16, 20]',
      'input_labels needs input_points',
      'input_labels: expected integers from -10 to 3, got 7',
      'input_box is not an input of this model, did you mean input_boxes?',
    ])
      await expect(run).rejects.toThrow(problem);
  });

  it('names the first of many unknown inputs', async () => {
    const files = { inputs: fixturePath('sam-windows', 'case.safetensors'), outputs: join(dir, 'out.safetensors') };
    const message = await rawForward({ model: fixturePath('sam-windows'), ...files }).catch(String);
    expect(message).toMatch(/pixel_values is missing; .*is not an input of this model.*; and \d+ more\. Inputs are/);
    expect(String(message).length).toBeLessThan(1000);
  });

  it('has no adapters for SAM', async () => {
    const files = { inputs: 'in.safetensors', outputs: 'out.safetensors' };
    await expect(rawForward({ model: fixturePath('sam-windows'), ...files, adapter: 'x' })).rejects.toThrow(
      '--adapter: adapters are for grounding-dino',
    );
  });
});
