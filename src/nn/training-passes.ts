import { canRunGraphs, tf } from '../backend/index.js';
import type { Rng } from '../util/index.js';
import { CapturedPasses } from './captured-passes.js';
import { CheckpointedTape } from './checkpointed-tape.js';
import type { Module } from './module.js';
import { tensorsIn } from './nested-tensors.js';
import type { PassFunction, TrainingPass } from './training-pass.js';

export interface TrainingPassesOptions {
  /**
   * Whether to compile graphs. Each takes some seconds once for each set of shapes; passes of small models, dominated by
   * overhead, then take a fraction of the time. Default: false.
   */
  readonly capture?: boolean;
}

/** Maximum number of remembered sets of shapes: each prompt length and image size has its own. */
const MOST_GRAPHS = 32;

/** Passes of the same shapes that run before one of a large model is recorded, as images of all sizes may never come again. */
const PASSES_BEFORE = 2;

/**
 * Runs forward and backward passes of a model. If possible, each is traced once as TensorFlow operations and then executed as a
 * single graph, with the loss computed in between; otherwise block by block with a {@link CheckpointedTape}.
 *
 * Large models, whose intermediates would take too much memory, compute blocks again in their graph as well. Those have the bits of
 * single operations, so that it does not matter when they are recorded; graphs of small models are recorded at once, as theirs
 * differ. Graphs are not used on other backends or a GPU.
 */
export class TrainingPasses {
  private readonly model: Module;
  private readonly capture: boolean;
  /** By shapes, least recently used first: the number of passes without a graph so far, or `undefined` where none is possible. */
  private readonly graphs = new Map<string, CapturedPasses | number | undefined>();
  /** Whether graphs compute blocks again. */
  private large = false;

  constructor(model: Module, { capture = false }: TrainingPassesOptions = {}) {
    this.model = model;
    this.capture = capture;
  }

  /** Runs a forward pass. `rng` drives its randomness. */
  async forward<O>(pass: PassFunction<O>, rng: Rng): Promise<TrainingPass<O>> {
    const captured = await this.captured(pass, rng);
    if (captured !== undefined) return captured.forward<O>(pass.inputs, rng);
    const tape = new CheckpointedTape(rng);
    try {
      const outputs = pass.forward(tape);
      return {
        outputs,
        depends: (output) => tape.isTracked(output),
        backward: (at) => tape.backward(at).gradients,
        dispose() {
          tf.dispose(tensorsIn(outputs));
          tape.dispose();
        },
      };
    } catch (error) {
      tape.dispose();
      throw error;
    }
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const graph of this.graphs.values()) drop(graph);
    this.graphs.clear();
  }

  private async captured<O>(pass: PassFunction<O>, rng: Rng): Promise<CapturedPasses | undefined> {
    if (!this.capture || !canRunGraphs()) return undefined;
    const key = keyOf(pass);
    const state = this.graphs.has(key) ? this.graphs.get(key) : 0;
    const next = typeof state === 'number' ? await this.recorded(pass, rng, state) : state;
    this.graphs.delete(key);
    this.graphs.set(key, next);
    if (this.graphs.size > MOST_GRAPHS) {
      const [oldest = key] = this.graphs.keys();
      drop(this.graphs.get(oldest));
      this.graphs.delete(oldest);
    }
    return typeof next === 'number' ? undefined : next;
  }

  private async recorded<O>(pass: PassFunction<O>, rng: Rng, passes: number): Promise<CapturedPasses | number | undefined> {
    if (this.large && passes < PASSES_BEFORE) return passes + 1;
    const graph = await CapturedPasses.record(this.model, pass, rng);
    this.large ||= graph?.checkpointed ?? false;
    return graph;
  }
}

function drop(graph: CapturedPasses | number | undefined): void {
  if (graph instanceof CapturedPasses) graph.dispose();
}

function keyOf<O>({ variant, inputs }: PassFunction<O>): string {
  const shapes = Object.entries(inputs).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [`${name} ${tensor.dtype} ${tensor.shape.join()}`],
  );
  return [variant, ...shapes].join('; ');
}
