import type { BackendName } from '../backend/index.js';

/** Options of every command. */
export interface GlobalOptions {
  backend: BackendName;
}

/** `--set a.b=c`, repeatable. */
export const setOption = {
  type: 'string',
  array: true,
  default: [] as string[],
  describe: 'override keys of the configuration: --set data.root=DIR train.epochs=5',
} as const;
