import { tf } from '../backend/index.js';
import type { Module, Parameter } from '../nn/index.js';
import { adaptersIn } from './apply.js';

/**
 * Merges every adapter into the weight that it adapts and removes it from the tree. The outputs stay the same.
 *
 * @example
 * import { initBackend } from 'sonoground';
 * import { Rng } from 'sonoground/data';
 * import { applyLora, loadDetector, mergeLora } from 'sonoground/models';
 *
 * await initBackend();
 * const { model } = await loadDetector('weights/nano-grounding-dino'); // or with { adapter: 'runs/liver/best' }
 * applyLora(model, { rank: 4, alpha: 4, targetModules: ['model.text_projection'] }, Rng.seeded(1));
 * mergeLora(model);
 * model.dispose();
 */
export function mergeLora(model: Module): void {
  for (const { module, paths } of adaptersIn(model)) {
    const merged = module.merge();
    for (const path of paths) model.replace(path, merged);
  }
}

/** Removes every adapter from the tree without merging it. */
export function removeLora(model: Module): void {
  for (const { module, paths } of adaptersIn(model)) {
    const bare = module.discard();
    for (const path of paths) model.replace(path, bare);
  }
}

/** Values of a fully trained parameter: in the base model, and after training. */
export interface WholeValues {
  readonly base: Float32Array;
  readonly tuned: Float32Array;
}

const wholeValues = new WeakMap<Parameter, WholeValues>();

/** Stores the values that {@link setAdapterScale} needs to restore the base model. */
export function rememberBase(parameter: Parameter, values: WholeValues): void {
  wholeValues.set(parameter, values);
}

/**
 * Scales the effect of an adapter: 1 is as trained, 0 gives the base model's outputs exactly, values between interpolate. Scales
 * the update of every adapter, and interpolates parameters replaced by a loaded adapter between their two values.
 *
 * @param scale - a finite number.
 * @throws RangeError when it is not finite.
 */
export function setAdapterScale(model: Module, scale: number): void {
  if (!Number.isFinite(scale)) throw new RangeError(`setAdapterScale: the scale is ${scale}`);
  for (const { module } of adaptersIn(model)) module.strength = scale;
  for (const parameter of new Set([...model.namedParameters()].map(([, found]) => found))) {
    const values = wholeValues.get(parameter);
    if (values === undefined) continue;
    const mixed = scale === 0 ? values.base : scale === 1 ? values.tuned : mix(values, scale);
    tf.tidy(() => parameter.assign(tf.tensor(mixed, [...parameter.shape], 'float32')));
  }
}

function mix({ base, tuned }: WholeValues, scale: number): Float32Array {
  return base.map((value, i) => value + scale * ((tuned[i] as number) - value));
}
