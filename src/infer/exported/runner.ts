import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type LoadedSignature, loadSavedModel, tf } from '../../backend/index.js';
import { CheckpointError, RuntimeError } from '../../util/index.js';
import type { ExportForm, ManifestPart } from './manifest.js';

/** Runs the signatures of an exported model. */
export interface Runner {
  /** @returns the outputs by name; they are the caller's. */
  run(signature: string, inputs: Readonly<Record<string, tf.Tensor>>): Promise<Readonly<Record<string, tf.Tensor>>>;
  dispose(): void;
}

/** Loads the signatures of one model of an exported folder. */
export async function openRunner(dir: string, form: ExportForm, part: Pick<ManifestPart, 'signatures'>): Promise<Runner> {
  const load = form === 'graph-model' ? loadGraph : loadSavedModel;
  const loaded = new Map<string, LoadedSignature>();
  const dispose = () => {
    for (const signature of loaded.values()) signature.dispose();
    loaded.clear();
  };
  try {
    for (const [name, { file }] of Object.entries(part.signatures)) loaded.set(name, await load(join(dir, file), name));
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    async run(name, inputs) {
      const signature = loaded.get(name);
      if (signature === undefined) throw new RuntimeError({ where: dir, what: `the exported model has no signature ${name}` });
      return signature.run(inputs);
    },
    dispose,
  };
}

/** A graph model from its files; it runs on the current backend. */
async function loadGraph(file: string): Promise<LoadedSignature> {
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
      const results = [executed].flat(); // of one output it is the tensor itself
      return Object.fromEntries(names.map(([key], i) => [key, results[i] as tf.Tensor]));
    },
    dispose: () => graph.dispose(),
  };
}

interface ModelJson extends tf.io.ModelJSON {
  readonly signature: object;
}

async function readArtifacts(file: string): Promise<tf.io.ModelArtifacts> {
  const bytes = async (path: string) =>
    readFile(path).catch((cause: NodeJS.ErrnoException) => {
      throw new CheckpointError({
        where: path,
        what: `it cannot be read (${cause.code})`,
        fix: 'Copy all files of the export',
        cause,
      });
    });
  const json = JSON.parse((await bytes(file)).toString('utf8')) as ModelJson;
  const specs = json.weightsManifest.flatMap(({ weights }) => weights);
  const shards = await Promise.all(
    json.weightsManifest.flatMap(({ paths }) => paths).map((path) => bytes(join(dirname(file), path))),
  );
  const joined = Buffer.concat(shards);
  return {
    modelTopology: json.modelTopology,
    signature: json.signature,
    weightSpecs: specs,
    weightData: joined.buffer.slice(joined.byteOffset, joined.byteOffset + joined.byteLength),
  };
}
