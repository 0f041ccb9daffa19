import { type BackendName, type Precision, precisions } from '../backend/index.js';

/** Options of every command. */
export interface GlobalOptions {
  backend: BackendName;
}

/** `--precision`. */
export const precisionOption = {
  choices: precisions,
  describe: 'of weights and products: bfloat16 halves the memory of weights; see docs/precision.md; default: float32',
} as const;

/** The option's value; the default is as if it was not given, so that earlier results stay valid. */
export function precisionOf(precision: Precision | undefined): Precision | undefined {
  return precision === 'float32' ? undefined : precision;
}

/** `--set a.b=c`, repeatable. */
export const setOption = {
  type: 'string',
  array: true,
  default: [] as string[],
  describe: 'override keys of the configuration: --set data.root=DIR train.epochs=5',
} as const;
