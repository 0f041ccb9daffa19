import { tf } from '../backend/index.js';
import { assertShape, type Rng } from '../util/index.js';
import type { Initialiser } from './init.js';

/**
 * Layout of a parameter in a torch checkpoint, as the permutation to its in-memory layout. Only used for loading and saving.
 * - `same`: as in memory.
 * - `conv2d`: [out, in, h, w] in the file, [h, w, in, out] in memory.
 * - `convTranspose2d`: [in, out, h, w] in the file, [h, w, out, in] in memory.
 * - `map`: [n, channels, h, w] in the file, [n, h, w, channels] in memory.
 * - `depthwise`: [channels, 1, h, w] in the file, [h, w, channels, 1] in memory.
 */
export type TorchLayout = 'same' | 'conv2d' | 'convTranspose2d' | 'depthwise' | 'map';

/** Options of a parameter. */
export interface ParameterOptions {
  readonly init: Initialiser;
  /** Default: `same`. */
  readonly layout?: TorchLayout;
  /** True for LoRA matrices, which are saved with the adapter, never with the model. Default: false. */
  readonly adapter?: boolean;
}

/** A weight array. Has no values until {@link Parameter.assign} or {@link Parameter.initialise} is called. */
export class Parameter {
  /** In-memory shape. */
  readonly shape: readonly number[];
  readonly layout: TorchLayout;
  readonly adapter: boolean;
  private mayChange = true;
  private readonly init: Initialiser;
  private variable: tf.Variable | undefined;
  private own: tf.Tensor | undefined;

  constructor(shape: readonly number[], { init, layout = 'same', adapter = false }: ParameterOptions) {
    this.shape = shape;
    this.init = init;
    this.layout = layout;
    this.adapter = adapter;
  }

  /** Whether training may change it. Frozen parameters never enter a gradient tape. */
  get trainable(): boolean {
    return this.mayChange;
  }

  /** Freezes or unfreezes it. */
  set trainable(trainable: boolean) {
    this.mayChange = trainable;
    if (this.variable !== undefined) this.variable.trainable = trainable;
  }

  /** Whether it has values yet. */
  get isSet(): boolean {
    return this.variable !== undefined || this.own !== undefined;
  }

  /**
   * The current values, float32 in the in-memory shape. Owned by the parameter: never dispose it.
   *
   * @throws Error when no values were assigned yet, or they were packed.
   */
  get value(): tf.Variable {
    if (this.own !== undefined)
      throw new Error(
        `a parameter of shape [${this.shape.join(', ')}] is packed in bfloat16: load the model in float32 to train or to save it`,
      );
    if (this.variable === undefined)
      throw new Error(`a parameter of shape [${this.shape.join(', ')}] is used before it was loaded or initialised`);
    return this.variable;
  }

  /** The values as {@link pack} made them; undefined if they are float32. Owned by the parameter. */
  get packed(): tf.Tensor | undefined {
    return this.own;
  }

  /** The tensor that passes read: the packed values, or {@link value}. Owned by the parameter. */
  get stored(): tf.Tensor {
    return this.own ?? this.value;
  }

  /** Replaces the values by what a function makes of them, for kernels that know its format. Final: {@link value} is freed. */
  pack(make: (values: tf.Tensor) => tf.Tensor): void {
    const { value } = this;
    this.own = tf.tidy(() => tf.keep(make(value)));
    value.dispose();
    this.variable = undefined;
  }

  /** Copies the values of a tensor, which stays the caller's. @throws Error if they were packed. */
  assign(values: tf.Tensor): void {
    assertShape(values, this.shape, 'Parameter.assign');
    if (this.own !== undefined) throw new Error('Parameter.assign: it is packed in bfloat16: load the model in float32');
    if (this.variable === undefined) this.variable = tf.tidy(() => tf.variable(values.clone(), this.mayChange));
    else this.variable.assign(values);
  }

  /** Draws initial values. */
  initialise(rng: Rng): void {
    const values = tf.tensor(this.init(this.shape, rng), [...this.shape], 'float32');
    this.assign(values);
    values.dispose();
  }

  /** Frees its value. */
  dispose(): void {
    this.variable?.dispose();
    this.variable = undefined;
    this.own?.dispose();
    this.own = undefined;
  }
}
