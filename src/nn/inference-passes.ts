import {
  CompiledGraph,
  canRunGraphs,
  isTapeOn,
  NotRecordable,
  Recorder,
  type TracedEdge,
  tf,
  usedFeeds,
} from '../backend/index.js';
import { Module } from './module.js';
import { filled, type Listed, listed, numbered, tensorsIn } from './nested-tensors.js';
import type { Parameter } from './parameter.js';
import { computationRevision } from './revision.js';

/** Passes of the same shapes that run before one is recorded: making a graph takes about as long as four small passes. */
const EAGER_PASSES = 2;

/** Maximum number of remembered sets of shapes, with or without a graph. */
const MOST_SHAPES = 32;

interface CapturedPass {
  readonly graph: CompiledGraph;
  /** What it is fed with: indices of tensors among the inputs, and parameters, whose values may change. */
  readonly feeds: readonly (number | Parameter)[];
  /** The structure of the outputs, with an index in place of each tensor. */
  readonly structure: unknown;
}

/** A graph that is being made: each is an object of its own, as others may have been discarded meanwhile. */
class Compiling {}

/** The number of passes so far; `eager`: no graph is possible. */
type State = number | 'eager' | Compiling | CapturedPass;

/**
 * Runs passes of a model without gradients. From the fourth pass of the same shapes on, its operations run as one graph, without
 * JavaScript in between: the third is recorded while it runs. One or two passes therefore cost nothing more. Results are the same to
 * the last bit whichever way they were computed.
 *
 * Graphs are fed with the current values of the parameters. They are discarded when a layer is replaced or an adapter is scaled.
 * Passes that read values on the host, or tensors that they were not given, run operation by operation, as do all passes on a GPU,
 * on other backends, and of models that are no {@link Module}, whose parameters are not known.
 */
export class InferencePasses {
  private readonly model: object;
  /** By shapes, least recently used first. */
  private readonly states = new Map<string, State>();
  private readonly compiling = new Set<Promise<void>>();
  private revision = computationRevision();

  constructor(model: object) {
    this.model = model;
  }

  /**
   * Runs a pass.
   *
   * @param variant - distinguishes functions whose inputs look alike.
   * @param inputs - everything that it reads besides parameters: tensors, and other values, in lists and records. They stay the
   * caller's.
   * @param forward - synchronous and deterministic. Its result must not contain inputs.
   * @returns its result; the tensors belong to the caller.
   */
  run<I, O>(variant: string, inputs: I, forward: (inputs: I) => O): O {
    const eager = () => tf.tidy(() => forward(inputs) as tf.TensorContainer) as O;
    if (!(this.model instanceof Module) || !canRunGraphs() || isTapeOn()) return eager();
    if (this.revision !== computationRevision()) this.dispose();
    const given = listed(inputs);
    const key = `${variant} ${given.signature}`;
    const state = this.states.get(key) ?? 0;
    this.states.delete(key);
    this.remember(key, typeof state === 'number' ? state + 1 : state);
    if (isCaptured(state)) return runPass<O>(state, given.tensors);
    if (typeof state !== 'number' || state < EAGER_PASSES) return eager();
    const recorded = this.record(this.model, key, given, eager);
    return recorded === undefined ? eager() : recorded.outputs;
  }

  /** Waits until all recorded passes are compiled. */
  async settle(): Promise<void> {
    await Promise.all(this.compiling);
  }

  /** Frees the graphs. Further passes start again. */
  dispose(): void {
    for (const state of this.states.values()) drop(state);
    this.states.clear();
    this.revision = computationRevision();
  }

  private remember(key: string, state: State): void {
    this.states.set(key, state);
    if (this.states.size <= MOST_SHAPES) return;
    const [[oldest, unused]] = this.states as unknown as [[string, State]];
    this.states.delete(oldest);
    drop(unused);
  }

  /** Runs a pass and records it. Undefined if that is not possible. */
  private record<O>(model: Module, key: string, { tensors }: Listed, eager: () => O): { readonly outputs: O } | undefined {
    const parameters = [...new Set([...model.namedParameters()].map(([, parameter]) => parameter))].filter(({ isSet }) => isSet);
    const sources = [...tensors, ...parameters.map(({ stored }) => stored)];
    this.states.set(key, 'eager');
    // Two feeds that share memory now could not be told apart, but may differ later.
    if (new Set(sources.map(({ dataId }) => dataId)).size < sources.length) return undefined;
    const recorder = new Recorder({ existing: 'refuse', merge: true });
    const feeds = sources.map((tensor, i): TracedEdge => ({ node: recorder.input(`feed ${i}`, tensor), output: 0 }));
    let result: { readonly outputs: O; readonly edges: TracedEdge[] };
    try {
      result = recorder.during(() => {
        const outputs = eager();
        return { outputs, edges: tensorsIn(outputs).map((tensor) => recorder.edge(tensor)) };
      });
    } catch (error) {
      if (error instanceof NotRecordable) return undefined;
      throw error;
    }
    const { outputs, edges } = result;
    const part = { operations: recorder.operations, feeds, outputs: edges, sequential: true };
    const used = usedFeeds(part);
    const structure = numbered(outputs, tensorsIn(outputs));
    const fed = used.map((i) => (i < tensors.length ? i : (parameters[i - tensors.length] as Parameter)));
    const own = new Compiling();
    const become = (state: State) => (this.states.get(key) === own ? void this.states.set(key, state) : drop(state));
    this.states.set(key, own);
    const compiling = CompiledGraph.compile({ ...part, feeds: used.map((i) => feeds[i] as TracedEdge) }).then(
      (graph) => become({ graph, feeds: fed, structure }),
      () => become('eager'), // an operation that graphs do not have
    );
    this.compiling.add(compiling);
    compiling.finally(() => this.compiling.delete(compiling));
    return { outputs };
  }
}

function runPass<O>({ graph, feeds, structure }: CapturedPass, inputs: readonly tf.Tensor[]): O {
  const results = graph.run(feeds.map((feed) => (typeof feed === 'number' ? (inputs[feed] as tf.Tensor) : feed.stored)));
  return filled(structure, results) as O;
}

function isCaptured(state: State): state is CapturedPass {
  return typeof state === 'object' && !(state instanceof Compiling);
}

function drop(state: State): void {
  if (isCaptured(state) && canRunGraphs()) state.graph.dispose();
}
