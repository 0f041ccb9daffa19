import { canRunGraphs, tf } from '../backend/index.js';
import type { Rng } from '../util/index.js';
import { CapturedPasses } from './captured-passes.js';
import { CheckpointedTape } from './checkpointed-tape.js';
import type { Module } from './module.js';
import { tensorsIn } from './nested-tensors.js';
import type { PassFunction, TrainingPass } from './training-pass.js';

export interface TrainingPassesOptions {
  /**
   * Whether graphs are made. Each takes some seconds once for each set of shapes, then a pass takes a fraction of the time, where
   * a model is so small that it consists of overhead. Default: false.
   */
  readonly capture?: boolean;
}

/** Graphs that are held at a time: one for each length of the prompt. */
const MOST_GRAPHS = 32;

/**
 * Runs forward and backward passes of a model. Where it can, it records both once as TensorFlow operations and runs them from then
 * on as one graph each, between which the loss is computed; otherwise block by block through a {@link CheckpointedTape}.
 *
 * A graph is not made on other backends or a GPU, of passes that draw random numbers (dropout), and of large models, whose blocks
 * would all be held at once.
 */
export class TrainingPasses {
  private readonly model: Module;
  private readonly capture: boolean;
  /** By shapes, the one used longest ago first; `undefined` where no graph can be made. */
  private readonly graphs = new Map<string, CapturedPasses | undefined>();

  constructor(model: Module, { capture = false }: TrainingPassesOptions = {}) {
    this.model = model;
    this.capture = capture;
  }

  /** Runs a function forward. `rng` is for what is random in it. */
  async forward<O>(pass: PassFunction<O>, rng: Rng): Promise<TrainingPass<O>> {
    const captured = await this.captured(pass, rng);
    if (captured !== undefined) return captured.forward<O>(pass.inputs);
    const tape = new CheckpointedTape(rng);
    try {
      const outputs = pass.forward(tape);
      return {
        outputs,
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

  /** What is decided for some shapes does not depend on others that came before: a resumed run decides alike. */
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
