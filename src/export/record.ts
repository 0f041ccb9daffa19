import { join } from 'node:path';
import { type GraphPort, type Signature, tf, trace } from '../backend/index.js';
import { type ManifestPart, type ManifestSignature, openRunner } from '../infer/index.js';
import type { Module } from '../nn/index.js';
import { sizeOf } from '../util/index.js';
import { DynamicError } from './dynamic.js';
import { GraphBuilder } from './graph-builder.js';
import { type WeightType, writeGraphModel } from './graph-model.js';
import type { PortMeaning, Program } from './program.js';
import { writeSavedModel } from './saved-model.js';
import { report, verify } from './verify.js';

/** Sizes at which a program with dynamic axes is traced; their difference yields the graph for any size. */
const RECORDED = [2, 3] as const;

/** Sizes at which the export is verified, other than the traced ones. */
const CHECKED = [1, 4];

/** Maximum size of an input for which the larger size is verified as well: at full size it would dominate memory. */
const LARGE = 2 ** 19;

export interface RecordOptions {
  /** The exported folder. */
  readonly root: string;
  /** The model's folder in it. */
  readonly path: string;
  readonly form: 'savedmodel' | 'graph-model';
  /** Storage type of a graph model's weights; a SavedModel uses float32. */
  readonly weightType: WeightType;
  /** The size of dynamic axes, by name; `any` if it varies between calls. */
  readonly sizes: Readonly<Record<string, number | 'any'>>;
  readonly say: (message: string) => void;
}

/** Traces the programs of a model, writes them, reads them back, and verifies them against the model. */
export async function exportPrograms(
  model: Module,
  programs: readonly Program[],
  options: RecordOptions,
): Promise<Pick<ManifestPart, 'signatures' | 'verification'>> {
  const { root, path, form, weightType, say } = options;
  const weights = new Map([...model.namedParameters()].map(([path, { value }]) => [path, value] as const));
  // Weights are named by their paths.
  const builder = new GraphBuilder(new Map([...weights].map(([path, { dataId }]) => [dataId, path])));
  const checkedAt = new Map<Program, readonly number[]>();
  for (const program of programs) checkedAt.set(program, await addProgram(builder, program, options));
  const { graph } = builder;
  const files = new Map<string, string>();
  for (const { signature } of programs) {
    // A graph model has one signature; several models share nothing.
    const own = programs.length === 1 ? path : `${path}/${signature === 'serving_default' ? 'encode' : signature}`;
    files.set(signature, form === 'savedmodel' ? path : `${own}/model.json`);
    if (form === 'graph-model') await writeGraphModel(graph, signature, join(root, own), weightType);
  }
  if (form === 'savedmodel') await writeSavedModel(graph, join(root, path), weights);
  const signatures = Object.fromEntries(
    programs.map((program) => [
      program.signature,
      describe(program, graph.signatures[program.signature] as Signature, files.get(program.signature) as string),
    ]),
  );
  const runner = await openRunner(root, form, { signatures });
  const verification: ManifestPart['verification'] = [];
  try {
    for (const program of programs)
      verification.push(...(await verify(program, runner, checkedAt.get(program) as readonly number[])));
  } finally {
    runner.dispose();
  }
  report(path, verification, say);
  return { signatures, verification };
}

/** @returns the sizes to verify. */
async function addProgram(
  builder: GraphBuilder,
  program: Program,
  { sizes, path, say }: RecordOptions,
): Promise<readonly number[]> {
  const { signature, dynamic } = program;
  const size = dynamic === undefined ? 1 : (sizes[dynamic.name] ?? 1);
  if (size !== 'any' || dynamic === undefined) {
    await builder.add(signature, record(program, Number(size)));
    return [Number(size)];
  }
  const [first, second] = RECORDED.map((n) => record(program, n)) as [ReturnType<typeof record>, ReturnType<typeof record>];
  try {
    await builder.add(signature, first, { ...dynamic, sizes: RECORDED, second });
    const largest = Math.max(...first.inputs.map(({ shape }) => sizeOf(shape))) / RECORDED[0];
    return largest > LARGE ? CHECKED.slice(0, 1) : CHECKED;
  } catch (error) {
    if (!(error instanceof DynamicError)) throw error;
    say(`${path}: ${signature} is limited to ${dynamic.name} = 1: ${error.message}`);
    await builder.add(signature, record(program, 1));
    return [1];
  }
}

function record(program: Program, size: number) {
  const inputs = program.samples(0, size);
  try {
    return trace(inputs, (x) => program.run(x));
  } finally {
    tf.dispose(inputs);
  }
}

function describe({ inputs, outputs, dynamic }: Program, ports: Signature, file: string): ManifestSignature {
  const side = (meanings: Readonly<Record<string, PortMeaning>>, actual: Readonly<Record<string, GraphPort>>) =>
    Object.fromEntries(
      Object.entries(meanings).map(([name, { layout, meaning }]) => {
        const { dtype, shape, node } = actual[name] as GraphPort;
        const sizes = shape.map((n) => (n === -1 ? (dynamic?.name ?? '?') : n));
        return [name, { dtype, shape: sizes, layout, meaning, node }];
      }),
    );
  return { file, inputs: side(inputs, ports.inputs), outputs: side(outputs, ports.outputs) };
}
