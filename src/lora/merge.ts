import { tf } from '../backend/index.js';
import type { Module, Parameter } from '../nn/index.js';
import { adaptersIn } from './apply.js';

/**
 * Adds every adapter to the weight that it adapts and takes it out of the tree. The outputs stay the same.
 *
 * @example
 * import { applyLora, initBackend, loadDetector, mergeLora, Rng } from 'sonoground';
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

/** Takes every adapter out of the tree, unused. */
export function removeLora(model: Module): void {
  for (const { module, paths } of adaptersIn(model)) {
    const bare = module.discard();
    for (const path of paths) model.replace(path, bare);
  }
}

/** Values of a parameter that was trained whole: those of the base model and those after training. */
export interface WholeValues {
  readonly base: Float32Array;
  readonly tuned: Float32Array;
}

const wholeValues = new WeakMap<Parameter, WholeValues>();

/** Keeps what {@link setAdapterScale} needs to lead a parameter back to the base model. */
export function rememberBase(parameter: Parameter, values: WholeValues): void {
  wholeValues.set(parameter, values);
}

/**
 * Scales what an adapter changes: 1 is as trained, 0 gives the base model's outputs exactly, between them lies a mixture. The
 * update of every adapter is multiplied, and parameters that a loaded adapter replaces are moved between their two values.
 *
 * @param scale - a finite number.
 * @throws RangeError when it is none.
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
