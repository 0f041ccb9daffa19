import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const lib = (name: string) => import(pathToFileURL(resolve('bench', 'lib', `${name}.mjs`)).href);
const { startSide } = await lib('sides');

/** Our process of the bench, with random weights of a small masker. */
describe('our side', () => {
  let folder: string;
  let side: Awaited<ReturnType<typeof startSide>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ours-'));
    side = await startSide(process.execPath, [resolve('bench/lib/ours.mjs'), 'masker', 'random', '128', '1', 'auto', 'nano']);
  });
  afterAll(async () => {
    await side.end();
    await rm(folder, { recursive: true });
  });

  it('measures the graphs that users get, and single operations only when asked', async () => {
    const graph = await side.ask('encode');
    const single = await side.ask('eager encode');
    expect(single.stages).toHaveProperty(['vision_encoder.backbone']);
    expect(single.blocks).toHaveProperty(['vision_encoder.backbone']);
    // Without native operations there are no graphs, and both are the same.
    if (side.compiles) expect(Object.keys(graph.stages)).toEqual(['image']);
    else expect(graph.stages).toHaveProperty(['vision_encoder.backbone']);
  });

  it('saves the measured outputs under the names of the reference', async () => {
    const file = join(folder, 'outputs.safetensors');
    await side.ask('encode');
    expect(await side.ask(`save 2 ${file}`)).toEqual({ saved: file });
    const bytes = await readFile(file);
    for (const name of ['pred_masks', 'iou_scores', 'object_score_logits']) expect(bytes.toString('latin1')).toContain(name);
  });

  it('answers a request that it cannot run with the reason', async () => {
    expect((await side.ask('0')).refused).toEqual(expect.any(String));
  });
});

describe('our side of a method', () => {
  it('keeps no tensor from one image to the next', async () => {
    const side = await startSide(process.execPath, [
      resolve('bench/lib/ours.mjs'),
      'universeg',
      'random',
      '128',
      '1',
      'auto',
      'tiny',
    ]);
    const { early, late } = await side.ask('memory 3 run');
    await side.end();
    expect([late.tensors, late.bytes]).toEqual([early.tensors, early.bytes]);
    expect(early.tensors).toBeGreaterThan(0);
  });
});
