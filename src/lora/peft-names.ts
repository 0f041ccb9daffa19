import type { Module, Parameter } from '../nn/index.js';

/** What Python's peft puts before every path. */
export const PEFT_PREFIX = 'base_model.model.';

/**
 * The parameters that an adapter file holds, under peft's names: `base_model.model.<path>.lora_A.weight`, and those of modules
 * that are trained whole under their own paths. A shared parameter comes once, under its first path.
 */
export function adapterParameters(model: Module): Map<string, Parameter> {
  const named = new Map<string, Parameter>();
  const seen = new Set<Parameter>();
  for (const [path, parameter] of model.namedParameters()) {
    if (!parameter.trainable && !parameter.adapter) continue;
    if (seen.has(parameter)) continue;
    seen.add(parameter);
    named.set(PEFT_PREFIX + path, parameter);
  }
  return named;
}
