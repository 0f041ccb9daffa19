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

/** Maximum number of cached graphs: one for each prompt length. */
const MOST_GRAPHS = 32;

/**
 * Runs forward and backward passes of a model. If possible, each is traced once as TensorFlow operations and then executed as a
 * single graph, with the loss computed in between; otherwise block by block with a {@link CheckpointedTape}.
 *
 * Graphs are not used on other backends or a GPU, for passes that draw random numbers (dropout), or for large models, whose
 * intermediates would all be held at once.
 */
export class TrainingPasses {
  private readonly model: Module;
  private readonly capture: boolean;
  /** By shapes, least recently used first; `undefined` where no graph is possible. */
  private readonly graphs = new Map<string, CapturedPasses | undefined>();

  constructor(model: Module, { capture = false }: TrainingPassesOptions = {}) {
    this.model = model;
    this.capture = capture;
  }

  /** Runs a forward pass. `rng` drives its randomness. */
  async forward<O>(pass: PassFunction<O>, rng: Rng): Promise<TrainingPass<O>> {
    const captured = await this.captured(pass, rng);
    if (captured !== undefined) return captured.forward<O>(pass.inputs);
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
    for (const graph of this.graphs.values()) graph?.dispose();
    this.graphs.clear();
  }

  /** The decision for given shapes does not depend on shapes seen earlier, so that a resumed run decides alike. */
  private async captured<O>(pass: PassFunction<O>, rng: Rng): Promise<CapturedPasses | undefined> {
    if (!this.capture || !canRunGraphs()) return undefined;
    const key = keyOf(pass);
    const graph = this.graphs.has(key) ? this.graphs.get(key) : await CapturedPasses.record(this.model, pass, rng);
    this.graphs.delete(key);
    this.graphs.set(key, graph);
    if (this.graphs.size > MOST_GRAPHS) {
      const [oldest = key] = this.graphs.keys();
      this.graphs.get(oldest)?.dispose();
      this.graphs.delete(oldest);
    }
    return graph;
  }
}

function keyOf<O>({ variant, inputs }: PassFunction<O>): string {
  const shapes = Object.entries(inputs).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [`${name} ${tensor.dtype} ${tensor.shape.join()}`],
  );
  return [variant, ...shapes].join('; ');
}
