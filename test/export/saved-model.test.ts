import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Graph } from '../../src/backend/index.js';
import { initBackend, loadSavedModel, tf, trace } from '../../src/backend/index.js';
import { GraphBuilder } from '../../src/export/graph-builder.js';
import { writeSavedModel } from '../../src/export/saved-model.js';
import { CheckpointError } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { describeUnless, notNative } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Graphs are recorded on TensorFlow. */
const missing = notNative(await initBackend());
useBackend();

const dir = temporaryFolder('saved-model');

/** x W + b, the weights being parameters or not. */
async function linear(parameters: boolean): Promise<{ graph: Graph; weights: Map<string, tf.Tensor> }> {
  const weights = new Map([
    ['model.linear.weight', tf.randomNormal([40, 70], 0, 1, 'float32', 1)],
    ['model.linear.bias', tf.randomNormal([70], 0, 1, 'float32', 2)],
  ]);
  const names = [...weights].map(([name, { dataId }]) => [dataId, name] as const);
  const builder = new GraphBuilder(new Map(parameters ? names : []));
  const x = tf.ones([3, 40]);
  const [w, b] = [...weights.values()] as [tf.Tensor, tf.Tensor];
  await builder.add(
    'serving_default',
    trace({ x }, (inputs) => ({ y: inputs.x.matMul(w).add(b) })),
  );
  x.dispose();
  return { graph: builder.graph, weights };
}

const bytesOf = async (file: string) => (await stat(file)).size;

describeUnless(missing, 'a SavedModel', () => {
  it('keeps weights in variables, outside of its graph, and restores them', async () => {
    const { graph, weights } = await linear(true);
    const to = join(dir, 'variables');
    expect(await leakOf(() => writeSavedModel(graph, to, weights))).toBe(0);
    expect((await readdir(to)).sort()).toEqual(['saved_model.pb', 'variables']);
    const data = join(to, 'variables', 'variables.data-00000-of-00001');
    expect(await bytesOf(data)).toBe(4 * (40 * 70 + 70));
    expect(await bytesOf(join(to, 'saved_model.pb'))).toBeLessThan(4 * 40 * 70);
    expect(await readFile(join(to, 'variables', 'variables.index'), 'latin1')).toContain('model.linear.');
    const { run, dispose } = await loadSavedModel(to, 'serving_default');
    const x = tf.randomNormal([3, 40], 0, 1, 'float32', 3);
    const [w, b] = [...weights.values()] as [tf.Tensor, tf.Tensor];
    const { y } = run({ x });
    await expectClose(y as tf.Tensor, x.matMul(w).add(b), 1e-6);
    dispose();
    tf.dispose([x, y as tf.Tensor]);
    tf.dispose([...weights.values()]);
  });

  it('has no variables where the graph has no parameters', async () => {
    const { graph, weights } = await linear(false);
    await writeSavedModel(graph, join(dir, 'constants'), weights);
    expect(await readdir(join(dir, 'constants'))).toEqual(['saved_model.pb']);
    const { run, dispose } = await loadSavedModel(join(dir, 'constants'), 'serving_default');
    const x = tf.ones([3, 40]);
    const outputs = run({ x });
    expect(outputs['y']?.shape).toEqual([3, 70]);
    dispose();
    tf.dispose([x, { ...outputs }, ...weights.values()]);
  });

  it('is refused where its graph is too large even without weights, naming the forms that are not', async () => {
    const to = join(dir, 'large');
    const { graph, weights } = await linear(false);
    const error = await writeSavedModel(graph, to, weights, 4 * 40 * 70).catch((cause) => cause);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(
      /the graph takes 0\.0000\d+ GB without its weights, and TensorFlow reads none of more than 0\.000011 GB/,
    );
    expect(error.fix).toMatch(/smaller --image-size, or --format graph-model, .* or safetensors/);
    expect(existsSync(to)).toBe(false);
    // Parameters do not count.
    const same = await linear(true);
    await writeSavedModel(same.graph, to, same.weights, 4 * 40 * 70);
    tf.dispose([...weights.values(), ...same.weights.values()]);
  });
});
