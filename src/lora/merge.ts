import type { Module } from '../nn/index.js';
import { adaptersIn } from './apply.js';

/** Adds every adapter to the weight that it adapts and takes it out of the tree. The outputs stay the same. */
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

/** Multiplies the updates of all adapters: 0 switches them off, 1 is as trained. */
export function setLoraScale(model: Module, strength: number): void {
  for (const { module } of adaptersIn(model)) module.strength = strength;
}
