import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type NamedArray, readSafetensors } from '../../src/weights/formats/index.js';

/** The folder of a fixture. */
export function fixturePath(name: string, file = ''): string {
  return fileURLToPath(new URL(`../fixtures/${name}/${file}`, import.meta.url));
}

export function fixtureJson(name: string, file: string): unknown {
  return JSON.parse(readFileSync(fixturePath(name, file), 'utf8'));
}

/** The arrays of a fixture, for tests that need no TensorFlow: loading it takes longer than most of them. */
export class GoldenArrays {
  readonly name: string;
  private readonly arrays: ReadonlyMap<string, NamedArray>;

  protected constructor(name: string, arrays: ReadonlyMap<string, NamedArray>) {
    this.name = name;
    this.arrays = arrays;
  }

  static async read(name: string, file = 'case.safetensors'): Promise<GoldenArrays> {
    return new GoldenArrays(name, (await readSafetensors(fixturePath(name, file))).arrays);
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
}
