import type { tf } from '../backend/index.js';

/** What a tensor of a signature is, for people and for other programs. */
export interface PortMeaning {
  /** Sizes by letter, as in `[B, H, W, 3]`. */
  readonly layout: string;
  readonly meaning: string;
}

/** A function of tensors that is exported as a signature. */
export interface Program {
  readonly signature: string;
  /** Sample values: `variant` 0 is what is recorded, others are for checking. The tensors are the caller's. */
  samples(variant: number, size: number): Record<string, tf.Tensor>;
  /** Runs in a `tf.tidy`. */
  run(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor>;
  readonly inputs: Readonly<Record<string, PortMeaning>>;
  readonly outputs: Readonly<Record<string, PortMeaning>>;
  /** Axes whose size may vary from call to call together, by input and output; none where every size is fixed. */
  readonly dynamic?: {
    readonly name: string;
    readonly inputs: Readonly<Record<string, number>>;
    readonly outputs: Readonly<Record<string, number>>;
  };
}
