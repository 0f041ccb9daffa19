import { packBfloat16, type tf } from '../backend/index.js';
import { Conv2d } from './conv2d.js';
import { Linear } from './linear.js';
import type { Module } from './module.js';
import type { Parameter } from './parameter.js';
import { computationChanged } from './revision.js';

/**
 * Rounds the weights of all linear layers and 1x1 convolutions below to bfloat16, for inference. Their products, and those of
 * attention between them, then have factors in bfloat16; sums, softmax, norms and all other layers stay float32. Final: the model
 * can neither be trained nor saved. Layers with an adapter stay float32: merge it first.
 */
export function useBfloat16(model: Module): void {
  for (const [, module] of model.namedModules()) {
    if (module instanceof Linear && module.reused !== true) packOnce(module.weight, (weight) => weight);
    if (module instanceof Conv2d && module.isLinear) packOnce(module.weight, (weight) => module.asLinear(weight));
  }
  computationChanged();
}

/** A shared layer appears once per path. */
function packOnce(parameter: Parameter, asMatrix: (weight: tf.Tensor) => tf.Tensor): void {
  if (parameter.packed !== undefined) return;
  parameter.pack((weight) => packBfloat16(asMatrix(weight)));
}
