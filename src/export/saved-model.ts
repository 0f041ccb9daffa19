import { join } from 'node:path';
import { CheckpointError, writeFileAtomic } from '../util/index.js';
import type { Graph } from './graph.js';
import { savedModelMessage } from './graph-def.js';

/** TensorFlow reads no graph of 2 GiB or more. */
const LARGEST = 1.8e9;

/**
 * Writes a graph as a SavedModel, weights inside.
 *
 * @param dir - gets `saved_model.pb`.
 * @throws CheckpointError when the graph is larger than TensorFlow reads.
 */
export async function writeSavedModel(graph: Graph, dir: string): Promise<void> {
  const message = savedModelMessage(graph);
  if (message.length > LARGEST)
    throw new CheckpointError({
      where: dir,
      what: `the graph with its weights takes ${(message.length / 1e9).toFixed(2)} GB, more than the 1.8 GB that a SavedModel without variables may have`,
      fix: 'Export it as safetensors, or as graph-model, which keeps weights in files of their own',
    });
  await writeFileAtomic(join(dir, 'saved_model.pb'), async (file) => {
    for (const chunk of message.chunks) await file.writeFile(chunk instanceof Uint8Array ? chunk : await chunk.read());
  });
}
