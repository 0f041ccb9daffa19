import { tf } from '../tf.js';
import { CompiledGraph } from './compiled-graph.js';
import { canRunGraphs } from './native-graph.js';
import { Recorder } from './recorder.js';
import type { TracedEdge } from './traced.js';

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/**
 * A function of tensors that is compiled to one graph per set of shapes, if graphs are supported and requested; otherwise it runs
 * eagerly.
 */
export class CapturedFunction {
  private readonly fn: (inputs: NamedTensors) => NamedTensors;
  private readonly capture: boolean;
  private readonly graphs = new Map<string, { readonly graph: CompiledGraph; readonly outputs: readonly string[] }>();

  /**
   * @param fn - pure and synchronous; reads nothing but its inputs.
   * @param capture - whether it is called often enough to justify compiling a graph.
   */
  constructor(fn: (inputs: NamedTensors) => NamedTensors, capture: boolean) {
    this.fn = fn;
    this.capture = capture;
  }

  /** @returns the outputs; they belong to the caller. */
  async run(inputs: NamedTensors): Promise<NamedTensors> {
    if (!this.capture || !canRunGraphs()) return tf.tidy(() => this.fn(inputs) as tf.NamedTensorMap);
    const names = Object.keys(inputs);
    const key = names.map((name) => `${name} ${inputs[name]?.dtype} ${inputs[name]?.shape.join()}`).join('; ');
    const known = this.graphs.get(key) ?? (await this.compile(inputs));
    this.graphs.set(key, known);
    const values = known.graph.run(names.map((name) => inputs[name] as tf.Tensor));
    return Object.fromEntries(known.outputs.map((name, i) => [name, values[i] as tf.Tensor]));
  }

  private async compile(inputs: NamedTensors) {
    const recorder = new Recorder({ existing: 'refuse', merge: true });
    const feeds = Object.entries(inputs).map(([name, tensor]): TracedEdge => ({ node: recorder.input(name, tensor), output: 0 }));
    const edges = new Map<string, TracedEdge>();
    tf.tidy(() =>
      recorder.during(() => {
        for (const [name, tensor] of Object.entries(this.fn(inputs))) edges.set(name, recorder.edge(tensor));
      }),
    );
    const graph = await CompiledGraph.compile({ operations: recorder.operations, feeds, outputs: [...edges.values()] });
    return { graph, outputs: [...edges.keys()] };
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const { graph } of this.graphs.values()) graph.dispose();
    this.graphs.clear();
  }
}
