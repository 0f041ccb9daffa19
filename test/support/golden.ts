import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tf } from '../../src/backend/index.js';
import { type NamedArray, readSafetensors } from '../../src/io/formats/index.js';
import type { Module, TorchLayout } from '../../src/nn/index.js';

/** The folder of a fixture. */
export function fixturePath(name: string, file = ''): string {
  return fileURLToPath(new URL(`../fixtures/${name}/${file}`, import.meta.url));
}

export function fixtureJson(name: string, file: string): unknown {
  return JSON.parse(readFileSync(fixturePath(name, file), 'utf8'));
}

export class GoldenCase {
  readonly name: string;
  private readonly arrays: ReadonlyMap<string, NamedArray>;

  private constructor(name: string, arrays: ReadonlyMap<string, NamedArray>) {
    this.name = name;
    this.arrays = arrays;
  }

  static async read(name: string, file = 'case.safetensors'): Promise<GoldenCase> {
    return new GoldenCase(name, (await readSafetensors(fixturePath(name, file))).arrays);
  }

  /** The names that begin with `prefix`, without it. */
  names(prefix: string): string[] {
    return [...this.arrays.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  has(name: string): boolean {
    return this.arrays.has(name);
  }

  array(name: string): NamedArray {
    const array = this.arrays.get(name);
    if (array === undefined) throw new Error(`fixture ${this.name} has no ${name}`);
    return array;
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
