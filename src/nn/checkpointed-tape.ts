import { tf } from '../backend/index.js';
import type { Rng } from '../util/index.js';
import { Draws, PassSeed } from './draws.js';
import type { BlockMode, BlockObserver, ForwardContext, Owner, TensorRecord } from './forward-context.js';
import { Parameter } from './parameter.js';

interface RecordedBlock {
  readonly inputs: TensorRecord;
  readonly outputs: TensorRecord;
  readonly parameters: readonly Parameter[];
  readonly observers: readonly BlockObserver[];
  /** Its number within the pass. */
  readonly number: number;
  readonly fn: (inputs: TensorRecord, mode: BlockMode) => TensorRecord;
}

/** Gradients by parameter. The tensors belong to the caller. */
export type Gradients = Map<Parameter, tf.Tensor>;

/**
 * Gradient checkpointing: records a forward pass block by block without a gradient tape, and in the backward pass recomputes each
 * block under a tape of its own. Memory holds the inputs and outputs of all blocks and the intermediates of one; host work
 * (matching) may be asynchronous between the two passes. Blocks without trainable parameters or inputs that depend on them are
 * not recorded.
 *
 * Outputs of recorded blocks belong to the tape until {@link CheckpointedTape.dispose}; inputs stay the caller's. Usage: `forward` the
 * model with the tape as context, compute the loss gradient with respect to the outputs, call {@link backward}, dispose.
 *
 * @see Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost
 */
export class CheckpointedTape implements ForwardContext {
  readonly training = true;
  /** Of all random numbers of the pass. */
  readonly seed: PassSeed;
  private count = 0;
  private readonly blocks: RecordedBlock[] = [];
  private readonly kept: tf.Tensor[] = [];
  /** Ids of tensors that depend on a trainable parameter. */
  private readonly tracked = new Set<number>();

  /** @param rng - gives one number: the seed. */
  constructor(rng: Rng) {
    this.seed = new PassSeed(rng.uint32());
  }

  /** The number of recorded blocks. */
  get length(): number {
    return this.blocks.length;
  }

  /** Whether gradients flow into this tensor. */
  isTracked(tensor: tf.Tensor): boolean {
    return this.tracked.has(tensor.id);
  }

  block<I extends TensorRecord, O extends TensorRecord>(
    owners: Owner | readonly Owner[],
    inputs: I,
    fn: (inputs: I, mode: BlockMode) => O,
  ): O {
    const own = Array.isArray(owners) ? owners : [owners];
    const parameters = trainableOf(own);
    const observers = observersOf(own);
    const number = this.count++;
    const outputs = tf.tidy(() =>
      unaliased(
        inputs,
        observed(observers, new Draws(this.seed, number), (mode) => fn(inputs, mode)),
      ),
    );
    const recorded = parameters.length > 0 || tensorsOf(inputs).some((tensor) => this.tracked.has(tensor.id));
    if (recorded) {
      for (const tensor of tensorsOf(outputs)) {
        this.keep(tensor);
        if (tensor.dtype === 'float32') this.tracked.add(tensor.id);
      }
      const kept = this.keepInputs(inputs);
      this.blocks.push({ inputs: kept, outputs, parameters, observers, number, fn: fn as unknown as RecordedBlock['fn'] });
    }
    return outputs;
  }

  detach<T extends tf.Tensor>(x: T): T {
    return x.clone();
  }

  /**
   * Gradients of a scalar with respect to every trainable parameter, given its gradients with respect to some recorded outputs.
   *
   * @param outputGradients - pairs of a block's output and the gradient with respect to it, of the same shape. They stay the
   * caller's.
   * @throws Error when an output was not recorded: it does not depend on anything trainable, or it was modified between blocks.
   */
  backward(outputGradients: readonly (readonly [tf.Tensor, tf.Tensor])[]): { gradients: Gradients } {
    const pending = new Map<number, tf.Tensor>();
    const gradients: Gradients = new Map();
    for (const [output, gradient] of outputGradients) {
      if (!this.tracked.has(output.id))
        throw new Error('CheckpointedTape.backward: an output does not come from a recorded block');
      accumulate(pending, output.id, gradient.clone());
    }
    for (const block of [...this.blocks].reverse()) {
      const dys = Object.entries(block.outputs).flatMap(([name, tensor]) => {
        const dy = tensor === undefined ? undefined : pending.get(tensor.id);
        return dy === undefined ? [] : [[name, dy] as const];
      });
      if (dys.length === 0) continue;
      this.walkBack(block, dys, pending, gradients);
      for (const tensor of tensorsOf(block.outputs)) {
        pending.get(tensor.id)?.dispose();
        pending.delete(tensor.id);
      }
    }
    return { gradients };
  }

  private walkBack(
    block: RecordedBlock,
    dys: readonly (readonly [string, tf.Tensor])[],
    pending: Map<number, tf.Tensor>,
    gradients: Gradients,
  ): void {
    const inputs = tensorsOf(block.inputs).filter((tensor) => this.tracked.has(tensor.id));
    const distinct = [...new Map(inputs.map((tensor) => [tensor.id, tensor])).values()];
    const variables = block.parameters.map((parameter) => parameter.value as tf.Tensor);
    const scalar = (): tf.Scalar => {
      const outputs = observed(block.observers, new Draws(this.seed, block.number), (mode) => block.fn(block.inputs, mode));
      return withGradients(
        dys.map(([name]) => outputs[name] as tf.Tensor),
        dys.map(([, dy]) => dy),
      );
    };
    const { value, grads } = tf.engine().gradients(scalar, [...distinct, ...variables], undefined, true);
    value.dispose();
    for (const [i, tensor] of distinct.entries()) {
      const gradient = grads[i];
      if (gradient) accumulate(pending, tensor.id, gradient);
    }
    for (const [i, parameter] of block.parameters.entries()) {
      const gradient = grads[distinct.length + i];
      if (gradient) accumulate(gradients, parameter, gradient);
    }
  }

  /** Outputs of recorded blocks are kept already; other inputs belong to the caller, so clones of them are kept. */
  private keepInputs(inputs: TensorRecord): TensorRecord {
    const kept = Object.entries(inputs).map(([name, tensor]) => {
      if (tensor === undefined || this.tracked.has(tensor.id)) return [name, tensor] as const;
      return [name, this.keep(tensor.clone())] as const;
    });
    return Object.fromEntries(kept);
  }

  private keep(tensor: tf.Tensor): tf.Tensor {
    this.kept.push(tf.keep(tensor));
    return tensor;
  }

  /** Frees the recorded tensors, including the outputs returned by blocks. Gradients stay the caller's. */
  dispose(): void {
    this.seed.dispose();
    for (const tensor of this.kept) tensor.dispose();
    this.kept.length = 0;
    this.blocks.length = 0;
    this.tracked.clear();
  }
}

/** The distinct trainable parameters of a block. */
function trainableOf(owners: readonly Owner[]): Parameter[] {
  const own = owners.flatMap((owner) =>
    owner instanceof Parameter ? [owner].filter(({ trainable }) => trainable) : owner.trainableParameters(),
  );
  return [...new Set(own)];
}

/** The modules of a block to be notified when it runs. */
function observersOf(owners: readonly Owner[]): BlockObserver[] {
  const modules = owners.flatMap((owner) =>
    owner instanceof Parameter ? [] : [...owner.namedModules()].map(([, below]) => below),
  );
  return [...new Set(modules)].filter((module): module is typeof module & BlockObserver => 'enterBlock' in module);
}

/** Runs a block, notifying its observers. */
function observed<T>(observers: readonly BlockObserver[], draws: Draws, body: (mode: BlockMode) => T): T {
  const mode = { training: true, draws };
  for (const observer of observers) observer.enterBlock(mode);
  try {
    return body(mode);
  } finally {
    for (const observer of observers) observer.enterBlock(undefined);
  }
}

/** A scalar whose gradients with respect to some tensors are given: its value does not matter. */
function withGradients(tensors: readonly tf.Tensor[], gradients: readonly tf.Tensor[]): tf.Scalar {
  const op = tf.customGrad(() => ({ value: tf.scalar(0), gradFunc: () => gradients.map((gradient) => gradient.clone()) }));
  return op(...tensors) as tf.Scalar;
}

/** Clones outputs that are also inputs, so that each tensor has a single position in the graph. */
function unaliased<O extends TensorRecord>(inputs: TensorRecord, outputs: O): O {
  const ids = new Set(tensorsOf(inputs).map((tensor) => tensor.id));
  const entries = Object.entries(outputs).map(([name, tensor]) => [name, tensor && ids.has(tensor.id) ? tensor.clone() : tensor]);
  return Object.fromEntries(entries) as O;
}

function tensorsOf(record: TensorRecord): tf.Tensor[] {
  return Object.values(record).filter((tensor) => tensor !== undefined);
}

/** Adds `gradient`, taking ownership of it, to the map's value under `key`. */
function accumulate<K>(sums: Map<K, tf.Tensor>, key: K, gradient: tf.Tensor): void {
  const sum = sums.get(key);
  if (sum === undefined) {
    sums.set(key, gradient);
    return;
  }
  sums.set(key, tf.add(sum, gradient));
  sum.dispose();
  gradient.dispose();
}
