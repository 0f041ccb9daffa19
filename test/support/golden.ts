import { tf } from '../../src/backend/index.js';
import type { Module, TorchLayout } from '../../src/nn/index.js';
import { readSafetensors } from '../../src/weights/formats/index.js';
import { fixturePath, GoldenArrays } from './golden-arrays.js';

export { fixtureJson, fixturePath } from './golden-arrays.js';

/** The arrays of a fixture as tensors and weights. */
export class GoldenCase extends GoldenArrays {
  static override async read(name: string, file = 'case.safetensors'): Promise<GoldenCase> {
    return new GoldenCase(name, (await readSafetensors(fixturePath(name, file))).arrays);
  }

  /** As stored. */
  tensor<T extends tf.Tensor = tf.Tensor>(name: string): T {
    const { data, shape, dtype } = this.array(name);
    return tf.tensor(data, [...shape], dtype) as T;
  }

  /** NCHW in the file, NHWC here. */
  image(name: string): tf.Tensor4D {
    return tf.tidy(() => tf.transpose(this.tensor<tf.Tensor4D>(name), [0, 2, 3, 1]));
  }

  /** A weight or its gradient, brought from torch's layout into memory's. */
  inLayout(name: string, layout: TorchLayout): tf.Tensor {
    const order = {
      same: undefined,
      conv2d: [2, 3, 1, 0],
      convTranspose2d: [2, 3, 1, 0],
      depthwise: [2, 3, 0, 1],
      map: [0, 2, 3, 1],
    }[layout];
    return tf.tidy(() => (order === undefined ? this.tensor(name) : tf.transpose(this.tensor(name), order)));
  }

  /** Gives every parameter of `module` the array `prefix + path`; throws for a missing one, returns the names left over. */
  load(module: Module, prefix = ''): string[] {
    const left = new Set(this.names(prefix));
    for (const [path, parameter] of module.namedParameters()) {
      const values = this.inLayout(prefix + path, parameter.layout);
      parameter.assign(values);
      values.dispose();
      left.delete(path);
    }
    return [...left];
  }
}
