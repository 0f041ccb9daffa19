import { canRunGraphs, tf } from '../backend/index.js';
import type { Rng } from '../util/index.js';
import { CapturedPasses } from './captured-passes.js';
import type { Module } from './module.js';
import { tensorsIn } from './nested-tensors.js';
import { SegmentTape } from './segment-tape.js';
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
 * on as one graph each, between which the loss is computed; otherwise block by block through a {@link SegmentTape}.
 *
 * A graph is not made on other backends or a GPU, of passes that draw random numbers (dropout), and of large models, whose blocks
 * would all be held at once.
 */
export class TrainingPasses {
  private readonly model: Module;
  private capture: boolean;
  private readonly graphs = new Map<string, CapturedPasses>();

  constructor(model: Module, { capture = false }: TrainingPassesOptions = {}) {
    this.model = model;
    this.capture = capture;
  }

  /** Runs a function forward. `rng` is for what is random in it. */
  async forward<O>(pass: PassFunction<O>, rng: Rng): Promise<TrainingPass<O>> {
    const captured = await this.captured(pass, rng);
    if (captured !== undefined) return captured.forward<O>(pass.inputs);
    const tape = new SegmentTape(rng);
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
    for (const graph of this.graphs.values()) graph.dispose();
    this.graphs.clear();
  }

  private async captured<O>(pass: PassFunction<O>, rng: Rng): Promise<CapturedPasses | undefined> {
    if (!this.capture) return undefined;
    const key = keyOf(pass);
    const known = this.graphs.get(key);
    if (known !== undefined) {
      this.graphs.delete(key);
      this.graphs.set(key, known);
      return known;
    }
    const made = canRunGraphs() ? await CapturedPasses.record(this.model, pass, rng) : undefined;
    if (made === undefined) {
      this.capture = false;
      return undefined;
    }
    const [oldest] = this.graphs;
    if (oldest !== undefined && this.graphs.size >= MOST_GRAPHS) {
      this.graphs.delete(oldest[0]);
      oldest[1].dispose();
    }
    this.graphs.set(key, made);
    return made;
  }
}

function keyOf<O>({ variant, inputs }: PassFunction<O>): string {
  const shapes = Object.entries(inputs).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [`${name} ${tensor.dtype} ${tensor.shape.join()}`],
  );
  return [variant, ...shapes].join('; ');
}
