import { join } from 'node:path';
import { type Graph, savedModelMessage, type tf } from '../backend/index.js';
import { CheckpointError, writeMessage } from '../util/index.js';
import { withVariables } from './variables.js';
import { writeVariables } from './write-variables.js';

/** Maximum size of a graph in bytes: TensorFlow cannot read 2 GiB or more. */
const LARGEST = 1.8e9;

/**
 * Writes a graph as a SavedModel: the graph in `saved_model.pb`, weights in `variables/`.
 *
 * @param dir - the folder of the SavedModel.
 * @param weights - f32, by their paths in the model, which are also the names of the graph's nodes.
 * @param largest - maximum size of `saved_model.pb` in bytes. Default: 1.8 GB.
 * @throws CheckpointError when the graph, without its weights, is larger.
 */
export async function writeSavedModel(
  graph: Graph,
  dir: string,
  weights: ReadonlyMap<string, tf.Tensor>,
  largest = LARGEST,
): Promise<void> {
  const { graph: small, variables, saver } = withVariables(graph);
  const message = savedModelMessage(small, variables.length === 0 ? undefined : { variables, saver });
  if (message.length > largest)
    throw new CheckpointError({
      code: 'E_GRAPH_TOO_LARGE',
      where: dir,
      what: `the graph takes ${gigabytes(message.length)} without its weights, and TensorFlow reads none of more than ${gigabytes(largest)}`,
      fix: 'Choose a smaller --image-size, or --format graph-model, which keeps all constants in files of their own, or safetensors',
    });
  if (variables.length > 0) await writeVariables(dir, variables, weights);
  await writeMessage(join(dir, 'saved_model.pb'), message);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(2)} GB`;
}
