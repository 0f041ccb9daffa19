import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type GraphNode, loadSavedModel, savedModelMessage, type tf, typeAttribute, type Variable } from '../backend/index.js';
import { RuntimeError, writeMessage } from '../util/index.js';
import { filename, SAVER, saving } from './variables.js';

const FLOAT = typeAttribute('dtype', 'float32');

/**
 * Writes the files from which TensorFlow restores variables. TensorFlow itself writes them, run by a graph for this purpose: the
 * binding cannot call the operation directly, as it takes a list of types.
 *
 * @param dir - the SavedModel's folder; `variables/` is created in it.
 * @param weights - by the names of the variables, f32.
 */
export async function writeVariables(
  dir: string,
  variables: readonly Variable[],
  weights: ReadonlyMap<string, tf.Tensor>,
): Promise<void> {
  const folder = join(dir, 'variables');
  await mkdir(folder, { recursive: true });
  const given = variables.map(({ name, shape }, k) => ({ key: `x${k}`, node: `weight_${k}`, shape, value: weights.get(name) }));
  const feeds: Record<string, tf.Tensor> = {};
  for (const { key, value } of given) if (value !== undefined) feeds[key] = value;
  const nodes: GraphNode[] = [
    ...given.map(({ node, shape }) => placeholder(node, shape)),
    ...filename(join(folder, 'variables')),
    ...saving(
      variables,
      given.map(({ node }) => node),
    ),
    {
      name: 'done',
      op: 'Const',
      inputs: [`^${SAVER.save}`],
      attributes: [FLOAT],
      constant: { dtype: 'float32', shape: [], weight: false, read: async () => Float32Array.of(1) },
    },
  ];
  const inputs = Object.fromEntries(given.map(({ key, node, shape }) => [key, { node, shape, dtype: 'float32' as const }]));
  const outputs = { done: { node: 'done', shape: [], dtype: 'float32' as const } };
  const writer = await mkdtemp(join(dir, '.writer-'));
  try {
    await writeMessage(join(writer, 'saved_model.pb'), savedModelMessage({ nodes, signatures: { write: { inputs, outputs } } }));
    const signature = await loadSavedModel(writer, 'write');
    try {
      const { done } = signature.run(feeds);
      done?.dispose();
    } catch (cause) {
      const what = `TensorFlow could not write the weights (${cause instanceof Error ? cause.message.split('\n')[0] : cause})`;
      throw new RuntimeError({ code: 'E_FILE_WRITE', where: dir, what, fix: 'Check that the disk has room', cause });
    } finally {
      signature.dispose();
    }
  } finally {
    await rm(writer, { recursive: true, force: true });
  }
  for (const name of await readdir(folder)) await sync(join(folder, name));
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function placeholder(name: string, shape: readonly number[]): GraphNode {
  return { name, op: 'Placeholder', inputs: [], attributes: [FLOAT, { name: 'shape', kind: 'shape', value: shape }] };
}
