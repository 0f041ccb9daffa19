/** Methods to compare with: what each is given, its weights, and how to load it. */

export type {
  BoxEntry,
  BuiltEntry,
  CreateMethod,
  CreateOptions,
  ExemplarEntry,
  MethodEntry,
  MethodFacts,
  PointEntry,
  PromptKind,
  TextEntry,
} from './entry.js';
export { RANDOM_WEIGHTS } from './entry.js';
export type { Exemplar, ExemplarMask, ExemplarSegmenter } from './exemplars.js';
export {
  checkWeights,
  createMethod,
  type LoadedMethod,
  type LoadMethodOptions,
  loadMethod,
  type ModelOf,
  requirePublishedForm,
  segmenterWith,
  weightsOf,
} from './load-method.js';
export { findMethod, methodEntries, methodNames, requireTakes } from './registry.js';
export { weightParts } from './weight-parts.js';
