import { type LoadedSignature, tf } from '../../backend/index.js';
import { CheckpointError, modelPath, readModelFile } from '../../util/index.js';

/**
 * Loads a graph model onto the current backend.
 *
 * @param file - its `model.json`.
 * @throws CheckpointError naming a file that is missing or malformed.
 */
export async function loadGraph(file: string): Promise<LoadedSignature> {
  const graph = await tf.loadGraphModel({ load: () => readArtifacts(file) });
  const { inputs, outputs } = (graph.modelSignature ?? {}) as {
    readonly inputs: Readonly<Record<string, { readonly name: string }>>;
    readonly outputs: Readonly<Record<string, { readonly name: string }>>;
  };
  return {
    run(given) {
      const fed = Object.entries(inputs).map(([key, { name }]) => [name, given[key] as tf.Tensor]);
      const names = Object.entries(outputs);
      const executed = graph.execute(
        Object.fromEntries(fed),
        names.map(([, { name }]) => name),
      );
      const results = [executed].flat(); // a single output is not wrapped in a list
      return Object.fromEntries(names.map(([key], i) => [key, results[i] as tf.Tensor]));
    },
    dispose: () => graph.dispose(),
  };
}

const FIX = 'Copy all files of the export';

interface ModelJson extends tf.io.ModelJSON {
  readonly signature: object;
}

async function readArtifacts(file: string): Promise<tf.io.ModelArtifacts> {
  const json = parse(new TextDecoder().decode(await needed(file)), file);
  const folder = file.replace(/[/\\][^/\\]*$/, '');
  const paths = json.weightsManifest.flatMap((group) => group.paths);
  return {
    modelTopology: json.modelTopology,
    signature: json.signature,
    weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
    weightData: joined(await Promise.all(paths.map((path) => needed(modelPath(folder, path))))),
  };
}

function parse(text: string, file: string): ModelJson {
  try {
    return JSON.parse(text) as ModelJson;
  } catch (cause) {
    throw new CheckpointError({ code: 'E_EXPORT_DAMAGED', where: file, what: 'it is not valid JSON', fix: FIX, cause });
  }
}

async function needed(path: string): Promise<Uint8Array> {
  const bytes = await readModelFile(path);
  if (bytes !== undefined) return bytes;
  throw new CheckpointError({ code: 'E_FILE_NOT_FOUND', where: path, what: 'there is no such file', fix: FIX });
}

function joined(shards: readonly Uint8Array[]): ArrayBuffer {
  const all = new Uint8Array(shards.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const shard of shards) {
    all.set(shard, at);
    at += shard.length;
  }
  return all.buffer;
}
