import type { tf } from '../backend/index.js';

/** Description of a signature's tensor, for people and other programs. */
export interface PortMeaning {
  /** Sizes as letters, as in `[B, H, W, 3]`. */
  readonly layout: string;
  readonly meaning: string;
}

/** A function of tensors to be exported as a signature. */
export interface Program {
  readonly signature: string;
  /** Sample values: `variant` 0 is traced, others are for verification. The tensors belong to the caller. */
  samples(variant: number, size: number): Record<string, tf.Tensor>;
  /** Runs in a `tf.tidy`. */
  run(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor>;
  readonly inputs: Readonly<Record<string, PortMeaning>>;
  readonly outputs: Readonly<Record<string, PortMeaning>>;
  /** Axes that vary together between calls, by input and output; absent if every size is fixed. */
  readonly dynamic?: {
    readonly name: string;
    readonly inputs: Readonly<Record<string, number>>;
    readonly outputs: Readonly<Record<string, number>>;
  };
}
