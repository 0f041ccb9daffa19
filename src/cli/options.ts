import type { BackendName } from '../backend/index.js';

/** Options that every command takes. */
export interface GlobalOptions {
  backend: BackendName;
}

/** `--set a.b=c`, any number of times. */
export const setOption = {
  type: 'string',
  array: true,
  default: [] as string[],
  describe: 'override keys of the configuration: --set data.root=DIR train.epochs=5',
} as const;
