import { tf } from '../../backend/index.js';
import { selectMemory } from '../../infer/index.js';
import {
  givenLogits,
  type ObjectCandidates,
  type ObjectMemory,
  predictsSeveral,
  type Sam2ImageFeatures,
  type Sam2Video,
} from '../../models/sam2/index.js';
import type { ForwardContext, TensorRecord } from '../../nn/index.js';
import { temporalEncoding } from '../../ops/index.js';

/** A batch of clips: rows of frames are ordered by frame, then by clip. */
export interface FollowInputs {
  /** Frames of each clip, T. */
  readonly frames: number;
  /** [T * B, S, S, 3] f32; only read where `features` are absent. */
  readonly pixelValues?: tf.Tensor4D | undefined;
  /** Of T * B images, where the encoder is not trained. */
  readonly features?: Sam2ImageFeatures | undefined;
  /** [T * B, 1] f32: 1 where the object is visible. Absent: as the object score says. */
  readonly visible?: tf.Tensor2D | undefined;
  /** Points, or a mask, on the first frames; see {@link ClipTensors}. */
  readonly points?: tf.Tensor4D | undefined;
  readonly labels?: tf.Tensor3D | undefined;
  readonly masks?: tf.Tensor4D | undefined;
}

/** What is predicted on one frame, for each of B objects. */
export type FollowedFrame = Pick<ObjectCandidates, 'candidates' | 'candidateScores' | 'objectScoreLogits'>;

/**
 * Follows an object of each clip from its first frame to the last, as the tracker does, through a context that may record it for
 * gradients. A given mask has no prediction on its own frame.
 *
 * @returns the predictions of all frames, in order.
 */
export function followClip(model: Sam2Video, inputs: FollowInputs, context: ForwardContext): FollowedFrame[] {
  const { frames, points, labels, masks } = inputs;
  const { memory: settings, neck } = model.config;
  const features = inputs.features ?? model.encodeFrame(inputs.pixelValues as tf.Tensor4D, context);
  const batch = features.embeddings.shape[0] / frames;
  const maps: tf.Tensor3D[] = [];
  const pointers: tf.Tensor2D[] = [];
  const found: FollowedFrame[] = [];
  for (let t = 0; t < frames; t++) {
    const rows = <T extends TensorRecord>(record: T) => rowsOf(record, t * batch, batch, context);
    const own = rows({ ...features }) as unknown as Sam2ImageFeatures;
    const { visible } = inputs.visible === undefined ? {} : rows({ visible: inputs.visible });
    const known = visible as tf.Tensor2D | undefined;
    // a) what is remembered of the frames before
    const memory = t === 0 ? undefined : memoryAt(t);
    if (t === 0 && masks !== undefined) {
      // b) a mask that is given is taken
      const taken = model.takeMasks(own, masks, context);
      pointers.push(taken.pointers);
      maps.push(model.memorise(own.embeddings, { ...taken, maskLogits: givenLogits(masks) }, true, context));
      continue;
    }
    // c) or one is predicted, from the prompt on the first frame, later from the memory alone
    const embeddings = model.recall(own.embeddings, memory, context);
    const seen = { features: { ...own, embeddings }, ...(t === 0 && { points, labels }), visible: known };
    const multimask = predictsSeveral(settings, t === 0 ? (points?.shape[2] ?? 0) : 0, t > 0);
    const object = model.decodeCandidates({ ...seen, multimask }, context);
    const { candidates, candidateScores, objectScoreLogits, maskLogits } = object;
    found.push({ candidates, candidateScores, objectScoreLogits });
    if (t === frames - 1) break;
    // d) and remembered
    const shown = known === undefined ? objectScoreLogits : givenLogits(known);
    pointers.push(object.pointers);
    maps.push(model.memorise(own.embeddings, { maskLogits, objectScoreLogits: shown }, t === 0, context));
  }
  return found;

  function memoryAt(t: number): ObjectMemory {
    const track = { prompted: new Map([[0, undefined]]) as never, reached: (at: number) => at > 0 && at < t };
    const mostPointers = Math.min(frames, settings.maxObjectPointersInEncoder);
    const { numMaskmem, maxCondFrameNum: mostPrompted } = settings;
    const options = { frame: t, backward: false, frames, numMaskmem, mostPrompted, mostPointers };
    const { prompted, others, pointers: used } = selectMemory(track, options);
    const named = Object.fromEntries(used.map(({ frame }, i) => [`pointer${i}`, pointers[frame]]));
    const { stacked } = context.block([], named, (given) => ({ stacked: tf.stack(Object.values(given) as tf.Tensor[], 1) }));
    const c = neck.fpnHiddenSize;
    const times = temporalEncoding(
      used.map(({ age }) => age / (mostPointers - 1)),
      c,
    );
    return {
      frames: [...prompted.map((frame) => ({ frame, age: 0 })), ...others].map(({ frame, age }) => ({
        map: maps[frame] as tf.Tensor3D,
        age,
      })),
      pointers: stacked as tf.Tensor3D,
      pointerTimes: tf.tensor2d(times, [used.length, c]),
    };
  }
}

function rowsOf<T extends TensorRecord>(record: T, from: number, count: number, context: ForwardContext): T {
  return context.block([], record, (given) =>
    Object.fromEntries(
      Object.entries(given).map(([name, tensor]) => [
        name,
        tensor?.slice([from, ...tensor.shape.slice(1).map(() => 0)], [count, ...tensor.shape.slice(1)]),
      ]),
    ),
  ) as T;
}
