import { tf } from '../../backend/index.js';
import {
  type ConfigDict,
  Conv2d,
  type ForwardContext,
  Linear,
  Module,
  normal,
  type Parameter,
  type Serializable,
  type SerializableClass,
} from '../../nn/index.js';
import { resizeAntialiased, roundToBfloat16 } from '../../ops/index.js';
import { assertShape } from '../../util/index.js';
import { FeedForward } from '../sam-common/index.js';
import { maskShares } from './mask-shares.js';
import { MemoryAttention, type MemoryTokens } from './memory-attention.js';
import { MemoryEncoder } from './memory-encoder.js';
import { frameTokens, mapPositions, mapTimes, pointerTokens } from './memory-tokens.js';
import { givenLogits, type ObjectCandidates, type ObjectInputs, type ObjectMemory, type ObjectOutputs } from './objects.js';
import { Sam2, type Sam2ImageFeatures } from './sam2.js';
import type { Sam2VideoConfig } from './video-config.js';

/** Logits of a mask where the object is not visible. */
const NO_OBJECT = -1024;

/** Standard deviation of the initial embeddings. */
const STD = 0.02;

/** Where the parameters of {@link Sam2Video.encodeFrame} are. */
const ENCODER = ['vision_encoder.', 'mask_decoder.conv_s0.', 'mask_decoder.conv_s1.'] as const;

/**
 * SAM 2 with its memory: objects are followed through the frames of a clip. Frame by frame, {@link encodeFrame} once, then for each
 * object {@link recall}, {@link decodeObjects} and {@link memorise}.
 *
 * @see Ravi et al. 2024, SAM 2; transformers' `Sam2VideoModel`, whose checkpoint keys are the paths here
 */
export class Sam2Video extends Sam2 {
  override readonly config: Sam2VideoConfig;
  private readonly memoryAttention: MemoryAttention;
  private readonly memoryEncoder: MemoryEncoder;
  private readonly memoryTimes: Parameter;
  private readonly noObjectPointer: Parameter;
  private readonly maskDownsample: Conv2d;
  private readonly pointerProj: FeedForward;
  private readonly pointerTimeProj: Linear | undefined;
  private readonly occlusion: Parameter | undefined;

  constructor(config: Sam2VideoConfig) {
    super(config);
    const { memory, neck } = config;
    const { fpnHiddenSize: c } = neck;
    const m = memory.encoder.outputChannels;
    const init = normal(STD);
    this.config = config;
    this.memoryAttention = this.child('memory_attention', new MemoryAttention(memory.attention));
    this.memoryEncoder = this.child('memory_encoder', new MemoryEncoder(memory.encoder));
    this.memoryTimes = this.parameter('memory_temporal_positional_encoding', [memory.numMaskmem, 1, 1, m], { init });
    // In all published files, read by no published model.
    this.parameter('no_memory_positional_encoding', [1, 1, c], { init });
    this.noObjectPointer = this.parameter('no_object_pointer', [1, c], { init });
    this.maskDownsample = this.child('mask_downsample', new Conv2d(1, 1, { kernelSize: 4, stride: 4 }));
    this.pointerProj = this.child('object_pointer_proj', new FeedForward(c, c, c, 3));
    if (memory.enableTemporalPosEncodingForObjectPointers)
      this.pointerTimeProj = this.child('temporal_positional_encoding_projection_layer', new Linear(c, m));
    if (memory.enableOcclusionSpatialEmbedding)
      this.occlusion = this.parameter('occlusion_spatial_embedding_parameter', [1, m], { init });
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new Sam2Video(config['config'] as unknown as Sam2VideoConfig), config);
  }

  /** {@link encodeImage} without the "no memory" embedding, once for all objects. */
  encodeFrame(pixelValues: tf.Tensor4D, context: ForwardContext): Sam2ImageFeatures {
    return this.encode(pixelValues, undefined, context);
  }

  /**
   * What {@link recall} does before it looks at any memory, once for all objects.
   *
   * @param embeddings - [B, h, w, C] f32, of {@link encodeFrame}.
   * @returns [B, h * w, C] f32.
   */
  beginRecall(embeddings: tf.Tensor4D, context: ForwardContext): tf.Tensor3D {
    return tf.tidy(() => this.memoryAttention.begin(embeddings, cellPositions(embeddings), context));
  }

  /**
   * Conditions the features of a frame on what is remembered of objects.
   *
   * @param embeddings - [B, h, w, C] f32, of {@link encodeFrame}.
   * @param memory - undefined for a frame on which an object is prompted for the first time.
   * @param begun - of {@link beginRecall}. Default: computed here.
   * @returns [B, h, w, C] f32.
   */
  recall(embeddings: tf.Tensor4D, memory: ObjectMemory | undefined, context: ForwardContext, begun?: tf.Tensor3D): tf.Tensor4D {
    return tf.tidy(() => {
      if (memory !== undefined) {
        const [, h, w] = embeddings.shape;
        return this.recallTokens(embeddings, this.memoryTokens(memory, [h, w], context), context, begun);
      }
      const { sum } = context.block(this.noMemoryEmbedding, { embeddings }, (x) => ({
        sum: tf.add(x.embeddings, this.noMemoryEmbedding.value),
      }));
      return sum as tf.Tensor4D;
    });
  }

  /** {@link recall} of tokens. */
  recallTokens(embeddings: tf.Tensor4D, tokens: MemoryTokens, context: ForwardContext, begun?: tf.Tensor3D): tf.Tensor4D {
    return tf.tidy(() => this.memoryAttention.forward(embeddings, cellPositions(embeddings), tokens, context, begun));
  }

  /** The embeddings of {@link encodeImage} as {@link encodeFrame} gives them. */
  withoutNoMemory(embeddings: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => tf.sub(embeddings, this.noMemoryEmbedding.value) as tf.Tensor4D);
  }

  /** Whether what {@link encodeFrame} returns stays the same in training: none of its parameters is trained. */
  get encodesFixed(): boolean {
    const encodes = (path: string) => ENCODER.some((prefix) => path.startsWith(prefix));
    return [...this.namedParameters()].every(([path, { trainable }]) => !trainable || !encodes(path));
  }

  /** Predicts the mask of objects on a frame, one object for each row of the batch, and their pointers. */
  decodeObjects(inputs: ObjectInputs, context: ForwardContext): ObjectOutputs {
    return tidied(() => {
      const { candidates: _, candidateScores: __, ...outputs } = this.decodeCandidates(inputs, context);
      return outputs;
    });
  }

  /** {@link decodeObjects} with all masks that one was chosen from. */
  decodeCandidates(
    { features, points, labels, masks, multimask, visible: known }: ObjectInputs,
    context: ForwardContext,
  ): ObjectCandidates {
    return tidied(() => {
      const decoded = this.decode({ features, points, labels, masks, multimask }, context);
      const { predMasks, iouScores, objectScoreLogits, tokens } = decoded;
      const [b, , m, height, width] = predMasks.shape;
      // Constants: which mask is the best, and whether there is an object, are not learned through the choice.
      const best = tf.argMax(context.detach(iouScores).reshape([b, m]), -1);
      const chosen = m === 1 ? tf.ones([b, 1]) : tf.cast(tf.oneHot(best as tf.Tensor1D, m), 'float32'); // [B, M]
      const visible = known ?? tf.cast(tf.greater(context.detach(objectScoreLogits).reshape([b, 1]), 0), 'float32'); // [B, 1]
      const owners = [this.pointerProj, this.noObjectPointer];
      const given = { predMasks, iouScores, objectScoreLogits, tokens, chosen, visible };
      const outputs = context.block(owners, given, (x) => {
        const share = x.chosen.reshape([b, m, 1]);
        const mask = tf.sum(tf.mul(x.predMasks.reshape([b, m, height * width]), share), 1); // [B, 4h * 4w]
        const shown = tf.add(tf.mul(mask, x.visible), tf.mul(tf.sub(1, x.visible), NO_OBJECT));
        const token = tf.sum(tf.mul(this.maskDecoder.maskTokens(x.tokens, multimask), share), 1); // [B, C]
        return {
          maskLogits: shown.reshape([b, height, width, 1]) as tf.Tensor4D,
          iouScores: tf.sum(tf.mul(x.iouScores.reshape([b, m]), x.chosen), 1, true) as tf.Tensor2D,
          objectScoreLogits: x.objectScoreLogits.reshape([b, 1]) as tf.Tensor2D,
          pointers: this.pointersOf(this.pointerProj.forward(token), x.visible),
        };
      });
      return { ...outputs, candidates: predMasks, candidateScores: iouScores };
    });
  }

  /**
   * Takes given masks as the objects' own, with a pointer as the decoder makes it of them.
   *
   * @param features - of {@link encodeFrame}, with B rows.
   * @param masks - [B, S, S, 1] f32: 0 or 1, at the size of the model's input.
   * @see Meta's `_use_mask_as_output`; transformers takes the pointer of the best of several masks instead
   */
  takeMasks(features: Sam2ImageFeatures, masks: tf.Tensor4D, context: ForwardContext): ObjectOutputs {
    const [b, h, w] = features.embeddings.shape;
    assertShape(masks, [b, 16 * h, 16 * w, 1], 'Sam2Video masks');
    return tidied(() => {
      const visible = tf.cast(tf.greater(tf.max(masks.reshape([b, -1]), 1, true), 0), 'float32'); // [B, 1]
      const { low } = context.block(this.maskDownsample, { masks }, (x) => ({ low: this.maskDownsample.forward(x.masks) }));
      const { tokens } = this.decode({ features, masks: low, multimask: false }, context);
      const { pointers } = context.block([this.pointerProj, this.noObjectPointer], { tokens, visible }, (x) => {
        const token = this.maskDecoder.maskTokens(x.tokens, false).reshape([b, -1]); // [B, C]
        return { pointers: this.pointersOf(this.pointerProj.forward(token), x.visible) };
      });
      return {
        maskLogits: resizeAntialiased(givenLogits(masks), [4 * h, 4 * w]),
        iouScores: tf.ones([b, 1]) as tf.Tensor2D,
        objectScoreLogits: givenLogits(visible) as tf.Tensor2D,
        pointers,
      };
    });
  }

  /**
   * Makes memories of objects on a frame.
   *
   * @param embeddings - [B, h, w, C] f32, of {@link encodeFrame}.
   * @param objects - `maskLogits` at a fourth of the input's size, or at its full size.
   * @param prompted - whether somebody saw the masks: outside training they are remembered as they were seen, without their doubts.
   * @returns [B, h * w, M] f32, rounded to what bfloat16 can hold, as in the reference.
   */
  memorise(
    embeddings: tf.Tensor4D,
    { maskLogits, objectScoreLogits }: Pick<ObjectOutputs, 'maskLogits' | 'objectScoreLogits'>,
    prompted: boolean,
    context: ForwardContext,
  ): tf.Tensor3D {
    const [, h, w] = embeddings.shape;
    const binary = prompted && !context.training;
    return tf.tidy(() => {
      const { shares } = context.block([], { maskLogits }, (x) => ({
        shares: maskShares(x.maskLogits, [16 * h, 16 * w], binary),
      }));
      return this.memoriseShares(embeddings, shares, objectScoreLogits, context);
    });
  }

  /**
   * {@link memorise} of the shares that `maskShares` gives.
   *
   * @param shares - [B, 16h, 16w, 1] f32 in [0, 1].
   */
  memoriseShares(
    embeddings: tf.Tensor4D,
    shares: tf.Tensor4D,
    objectScoreLogits: tf.Tensor2D,
    context: ForwardContext,
  ): tf.Tensor3D {
    const [b, h, w] = embeddings.shape;
    const { sigmoidScaleForMemEnc: scale, sigmoidBiasForMemEnc: bias } = this.config.memory;
    return tf.tidy(() => {
      const { masks } = context.block([], { shares }, (x) => ({ masks: tf.add(tf.mul(x.shares, scale), bias) as tf.Tensor4D }));
      const map = this.memoryEncoder.forward(embeddings, masks, context); // [B, h, w, M]
      const hidden = tf.cast(tf.lessEqual(context.detach(objectScoreLogits), 0), 'float32').reshape([b, 1, 1, 1]);
      const { occlusion } = this;
      const { memory } = context.block(occlusion === undefined ? [] : [occlusion], { map, hidden }, (x) => {
        const marked = occlusion === undefined ? x.map : tf.add(x.map, tf.mul(x.hidden, occlusion.value));
        return { memory: roundToBfloat16(marked.reshape([b, h * w, -1])) as tf.Tensor3D };
      });
      return memory;
    });
  }

  /** The pointers of visible objects, and that of no object for the others. */
  private pointersOf(pointers: tf.Tensor, visible: tf.Tensor): tf.Tensor2D {
    return tf.add(tf.mul(pointers, visible), tf.mul(tf.sub(1, visible), this.noObjectPointer.value)) as tf.Tensor2D;
  }

  /**
   * When and where the cells of a map were.
   *
   * @param row - [1] i32, by `timeRow`.
   * @returns [1, h * w, M] f32.
   */
  placeMap(size: readonly [number, number], row: tf.Tensor1D): tf.Tensor3D {
    return mapTimes(this.memoryTimes, size, row);
  }

  private memoryTokens(memory: ObjectMemory, size: readonly [number, number], context: ForwardContext): MemoryTokens {
    const { pointers, pointerTimes } = memory;
    const tokens = frameTokens(memory.frames, this.memoryTimes, size, context);
    return pointers === undefined ? tokens : { ...tokens, ...this.pointerTokens(pointers, pointerTimes, context) };
  }

  /**
   * Pointers have more channels than memories: each becomes several tokens.
   *
   * @param pointers - [B, P, C] f32.
   * @param pointerTimes - [P, C] f32, as in {@link ObjectMemory}.
   */
  pointerTokens(pointers: tf.Tensor3D, pointerTimes: tf.Tensor2D | undefined, context: ForwardContext) {
    return pointerTokens(pointers, pointerTimes, this.pointerTimeProj, this.config.memory.encoder.outputChannels, context);
  }
}

/** A tidy around a record of tensors. */
function tidied<T extends object>(compute: () => T): T {
  return tf.tidy(() => compute() as tf.TensorContainer) as T;
}

/** Positions of the cells of embeddings, [h * w, C] f32. */
function cellPositions(embeddings: tf.Tensor4D): tf.Tensor2D {
  const [, h, w, c] = embeddings.shape;
  return tf.reshape(mapPositions([h, w], c), [h * w, c]) as tf.Tensor2D;
}
