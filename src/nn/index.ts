/** Modules, parameters and layers, and training passes with gradient checkpointing. */

export { type Activation, type ActivationName, activation, gelu, relu6, reluGradient } from './activation.js';
export { CheckpointedTape, type Gradients } from './checkpointed-tape.js';
export { ConvTranspose2d } from './conv-transpose2d.js';
export { Conv2d } from './conv2d.js';
export { DepthwiseConv2d } from './depthwise-conv2d.js';
export { Draws, PassSeed } from './draws.js';
export { dropout, dropPath } from './dropout.js';
export { eachImage } from './each-image.js';
export { Embedding } from './embedding.js';
export {
  type BlockMode,
  type BlockObserver,
  type ForwardContext,
  inference,
  type Owner,
  type TensorRecord,
} from './forward-context.js';
export { type ChannelMap, FrozenBatchNorm } from './frozen-batch-norm.js';
export { GroupNorm } from './group-norm.js';
export { InferencePasses } from './inference-passes.js';
export { constant, type Initialiser, normal, uniform, xavierUniform, zeros } from './init.js';
export { LayerNorm } from './layer-norm.js';
export { activated, addLinear, backThrough, type DenseWeights, Linear, linear } from './linear.js';
export { Module } from './module.js';
export { tensorsIn } from './nested-tensors.js';
export { Parameter, type ParameterOptions, type TorchLayout } from './parameter.js';
export { computationChanged } from './revision.js';
export type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
export { TensorLayer } from './tensor-layer.js';
export { throughHidden } from './through-hidden.js';
export type { PassFunction } from './training-pass.js';
export { TrainingPasses } from './training-passes.js';
export { useBfloat16 } from './use-bfloat16.js';
