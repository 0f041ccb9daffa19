import {
  asUnderTape,
  CompiledGraph,
  NotRecordable,
  Recorder,
  type TracedEdge,
  type TracedOperation,
  tf,
} from '../backend/index.js';
import { type Rng, sizeOf } from '../util/index.js';
import { CheckpointedTape } from './checkpointed-tape.js';
import { PassSeed } from './draws.js';
import type { TensorRecord } from './forward-context.js';
import type { Module } from './module.js';
import { filled, numbered, tensorsIn } from './nested-tensors.js';
import type { Parameter } from './parameter.js';
import type { PassFunction, TrainingPass } from './training-pass.js';

/**
 * Upper limit, in megabytes, of the results of all operations in both passes, for graphs that keep all that the backward pass needs.
 * Beyond it, blocks are computed again, as on a {@link CheckpointedTape}.
 */
const LARGEST_MB = 6000;

interface CapturedParts {
  readonly parameters: readonly Parameter[];
  readonly names: readonly string[];
  readonly forward: CompiledGraph;
  readonly backward: CompiledGraph;
  /** Number of tensors among the outputs; the forward graph's further results are inputs of the backward graph. */
  readonly count: number;
  /** The structure of the outputs, with an index in place of each tensor. */
  readonly structure: unknown;
  /** Indices of the outputs that gradients flow through. */
  readonly tracked: readonly number[];
  /** Parameters that get a gradient. */
  readonly trained: readonly Parameter[];
  readonly checkpointed: boolean;
}

/**
 * A forward and a backward pass compiled to graphs. With checkpointing, the results are those of a {@link CheckpointedTape} to the
 * last bit.
 */
export class CapturedPasses {
  private readonly parts: CapturedParts;

  private constructor(parts: CapturedParts) {
    this.parts = parts;
  }

  /** Whether the backward pass computes blocks again. */
  get checkpointed(): boolean {
    return this.parts.checkpointed;
  }

  /**
   * Traces both passes by running them once; the results are discarded. If keeping all that the backward pass needs would take
   * `largestMb` megabytes or more, the backward graph computes each block again, and operations run in the recorded order, so that
   * memory stays that of a {@link CheckpointedTape}.
   *
   * @param largestMb - 0: computes blocks again in any case.
   * @returns undefined if they cannot be compiled.
   */
  static async record<O>(
    model: Module,
    pass: PassFunction<O>,
    rng: Rng,
    largestMb = LARGEST_MB,
  ): Promise<CapturedPasses | undefined> {
    const result = await CapturedPasses.attempt(model, pass, rng, largestMb);
    return result === 'too large' ? CapturedPasses.record(model, pass, rng, 0) : result;
  }

  private static async attempt<O>(
    model: Module,
    pass: PassFunction<O>,
    rng: Rng,
    largestMb: number,
  ): Promise<CapturedPasses | 'too large' | undefined> {
    const parameters = [...new Set([...model.namedParameters()].map(([, parameter]) => parameter))];
    const names = Object.keys(pass.inputs).filter((name) => pass.inputs[name] !== undefined);
    const recorder = new Recorder({ existing: 'refuse', merge: true });
    const tape = new CheckpointedTape(rng.clone());
    const made: tf.Tensor[] = [];
    try {
      const given = names.map((name) => recorder.input(name, pass.inputs[name] as tf.Tensor));
      const weights = parameters.map(({ value }, i) => recorder.input(`parameter ${i}`, value));
      const seed = recorder.input('seed', tape.seed.tensor);
      const checkpointed = largestMb === 0;
      const forwardPass = () => pass.forward(tape);
      // Whatever the backward pass repeats is merged with the forward pass if both use the same operations.
      const outputs = recorder.during(() => (checkpointed ? forwardPass() : asUnderTape(forwardPass)));
      const tensors = tensorsIn(outputs);
      made.push(...tensors);
      const edges = tensors.map((tensor) => recorder.edge(tensor));
      const ahead = recorder.operations.length;
      if (checkpointed) recorder.separate();
      else if (megabytes(recorder.operations) * BACKWARD_COSTS >= largestMb) return 'too large';
      const tracked = tensors.flatMap((tensor, i) => (tape.isTracked(tensor) ? [i] : []));
      const dys = tracked.map((i) => tf.zerosLike(tensors[i] as tf.Tensor));
      made.push(...dys);
      const gradientInputs = dys.map((dy, i) => recorder.input(`gradient ${i}`, dy));
      const { gradients } = recorder.during(() =>
        tape.backward(tracked.map((i, k) => [tensors[i] as tf.Tensor, dys[k] as tf.Tensor])),
      );
      made.push(...gradients.values());
      if (!checkpointed && megabytes(recorder.operations) >= largestMb) return 'too large';
      const results = [...gradients.values()].map((gradient) => recorder.edge(gradient));
      const operations = { forward: recorder.operations.slice(0, ahead), backward: recorder.operations.slice(ahead) };
      const crossing = between(operations.forward, operations.backward, results);
      const fed = [...given, ...weights, seed].map(asEdge);
      const forward = await CompiledGraph.compile({
        operations: operations.forward,
        feeds: fed,
        outputs: [...edges, ...crossing],
        sequential: checkpointed,
      });
      const backward = await CompiledGraph.compile({
        operations: operations.backward,
        feeds: [...fed, ...gradientInputs.map(asEdge), ...crossing],
        outputs: results,
        sequential: checkpointed,
      }).catch((error: unknown) => {
        forward.dispose();
        throw error;
      });
      return new CapturedPasses({
        parameters,
        names,
        forward,
        backward,
        count: tensors.length,
        structure: numbered(outputs, tensors),
        tracked,
        trained: [...gradients.keys()],
        checkpointed,
      });
    } catch (error) {
      if (error instanceof NotRecordable) return undefined;
      throw error;
    } finally {
      tf.dispose(made);
      tape.dispose();
    }
  }

  /** @param rng - gives one number, as to a {@link CheckpointedTape}. */
  forward<O>(inputs: TensorRecord, rng: Rng): TrainingPass<O> {
    const { parameters, names, forward, backward, count, structure, tracked, trained } = this.parts;
    const seed = new PassSeed(rng.uint32());
    const fed = () => [...names.map((name) => inputs[name] as tf.Tensor), ...parameters.map(({ value }) => value), seed.tensor];
    const results = forward.run(fed());
    const tensors = results.slice(0, count);
    const crossing = results.slice(count);
    return {
      outputs: filled(structure, tensors) as O,
      depends: (output) => tracked.some((i) => tensors[i]?.id === output.id),
      backward(at) {
        const given = new Map(at.map(([output, gradient]) => [output.id, gradient]));
        const absent: tf.Tensor[] = [];
        const gradients = tracked.map((i) => {
          const tensor = tensors[i] as tf.Tensor;
          const own = given.get(tensor.id);
          if (own !== undefined) return own;
          const nothing = tf.zerosLike(tensor);
          absent.push(nothing);
          return nothing;
        });
        const values = backward.run([...fed(), ...gradients, ...crossing]);
        tf.dispose(absent);
        return new Map(trained.map((parameter, i) => [parameter, values[i] as tf.Tensor]));
      },
      dispose() {
        seed.dispose();
        tf.dispose(results);
      },
    };
  }

  dispose(): void {
    this.parts.forward.dispose();
    this.parts.backward.dispose();
  }
}

/** Lower bound of the ratio of both passes' memory to that of the forward pass: 1.98 to 2.02 for the shipped detector. */
const BACKWARD_COSTS = 1.8;

function asEdge(node: TracedEdge['node']): TracedEdge {
  return { node, output: 0 };
}

/** Results of the first part that the second part needs for its own results. */
function between(
  first: readonly TracedOperation[],
  second: readonly TracedOperation[],
  results: readonly TracedEdge[],
): TracedEdge[] {
  const ahead = new Set<TracedEdge['node']>(first);
  const wanted = new Set(results.map(({ node }) => node));
  const crossing = new Map<string, TracedEdge>();
  const numbers = new Map(first.map((operation, i) => [operation as TracedEdge['node'], i]));
  const cross = (edge: TracedEdge) => {
    if (ahead.has(edge.node)) crossing.set(`${numbers.get(edge.node)}:${edge.output}`, edge);
  };
  results.forEach(cross);
  for (const operation of [...second].reverse()) {
    if (!wanted.has(operation)) continue;
    for (const edge of operation.inputs) {
      wanted.add(edge.node);
      cross(edge);
    }
  }
  return [...crossing.values()];
}

function megabytes(operations: readonly TracedOperation[]): number {
  // A reshaped tensor shares its memory.
  const shapes = operations.filter(({ op }) => op !== 'Reshape').flatMap((operation) => operation.shapes);
  return shapes.reduce((sum, shape) => sum + sizeOf(shape) * 4, 0) / 1e6;
}
