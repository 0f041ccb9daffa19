import type { tf } from '../backend/index.js';
import type { Parameter } from './parameter.js';

/**
 * A parameter as `tf.layers` sees a weight. It holds nothing: values, and whether they may change, are the parameter's.
 *
 * @param name - the layer's name and the parameter's path in it, as in `linear_1/weight`.
 */
export function layerVariable(parameter: Parameter, name: string): tf.LayerVariable {
  // Its own class would copy the values and give them a name in the engine.
  return new ParameterView(parameter, name) as unknown as tf.LayerVariable;
}

/** The public part of `tf.LayerVariable`. */
class ParameterView implements Omit<tf.LayerVariable, 'id' | 'write' | 'constraint' | 'val'> {
  readonly dtype = 'float32';
  readonly shape: number[];
  readonly name: string;
  readonly originalName: string;
  private readonly parameter: Parameter;

  constructor(parameter: Parameter, name: string) {
    this.parameter = parameter;
    this.shape = [...parameter.shape];
    this.name = name;
    this.originalName = name;
  }

  /** @throws Error when no values were given yet. */
  read(): tf.Variable {
    return this.parameter.value;
  }

  write(values: tf.Tensor): this {
    this.parameter.assign(values);
    return this;
  }

  get trainable(): boolean {
    return this.parameter.trainable;
  }

  set trainable(trainable: boolean) {
    this.parameter.trainable = trainable;
  }

  dispose(): void {
    this.parameter.dispose();
  }
}
