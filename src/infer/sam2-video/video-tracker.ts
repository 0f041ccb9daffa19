import { tf } from '../../backend/index.js';
import type { BinaryMask, Clip, MaskLogits } from '../../imaging/index.js';
import { type ObjectMemory, predictsSeveral } from '../../models/sam2/index.js';
import { temporalEncoding } from '../../ops/index.js';
import { CheckpointError, RuntimeError, UsageError } from '../../util/index.js';
import type { ClipTracker, TrackedFrame, TrackedObject, TrackerState, TrackPrompt } from '../clip-tracker.js';
import { framesToTrack, type PropagateOptions } from '../frames-to-track.js';
import { fillHoles, withoutOverlap } from './clean-masks.js';
import { FrameFeatures } from './frame-features.js';
import { ObjectTrack, type PromptedSighting, type Sighting } from './object-track.js';
import { limited } from './pack-logits.js';
import { checkTrackPrompt, modelMask, modelPoints } from './prompt-inputs.js';
import { selectMemory } from './select-memory.js';
import type { TrackerSettings } from './settings.js';
import type { ComputedObject, TrackerModel } from './tracker-model.js';

/** Parts of a tracker. */
export interface VideoTrackerOptions extends TrackerSettings {
  readonly model: TrackerModel;
  readonly clip: Clip;
  /** Resizes logits to the clip's grid and thresholds them. */
  readonly toClip: (logits: MaskLogits) => BinaryMask;
}

/** Copies of all objects. */
class VideoTrackerState implements TrackerState {
  readonly objects: ReadonlyMap<number, ObjectTrack>;

  constructor(objects: ReadonlyMap<number, ObjectTrack>) {
    this.objects = objects;
  }

  dispose(): void {
    for (const track of this.objects.values()) track.dispose();
  }
}

/** Follows objects through a clip with SAM 2's memory. Calls are answered in order, one at a time. */
export class VideoTracker implements ClipTracker {
  private readonly model: TrackerModel;
  private readonly clip: Clip;
  private readonly features: FrameFeatures;
  private readonly toClip: (logits: MaskLogits) => BinaryMask;
  private readonly mostPrompted: number;
  private readonly holes: number;
  private readonly overlap: boolean;
  private readonly objects = new Map<number, ObjectTrack>();
  private last: Promise<unknown> = Promise.resolve();
  private disposed = false;

  constructor({ model, clip, toClip, mostPromptedFrames, holes, overlap }: VideoTrackerOptions) {
    this.holes = holes;
    this.overlap = overlap;
    this.model = model;
    this.clip = clip;
    this.features = new FrameFeatures(clip, (image) => model.encode(image));
    this.toClip = toClip;
    this.mostPrompted = model.memory.maxCondFrameNum ?? mostPromptedFrames;
  }

  /**
   * Marks or corrects an object. Points and box take the place of earlier ones on this frame; the mask that they gave is refined. A
   * mask is taken as it is; an empty one says that the object is not visible.
   *
   * @throws UsageError for an invalid prompt; DataError for a frame that cannot be read; RuntimeError after {@link dispose}.
   */
  async prompt(prompt: TrackPrompt): Promise<TrackedFrame> {
    this.checkAlive('prompt');
    checkTrackPrompt(prompt, this.clip);
    return this.inTurn(async () => {
      const { frame, object } = prompt;
      const track = this.objects.get(object) ?? new ObjectTrack();
      const sighting = await this.mark(track, prompt);
      if (this.disposed || track.removed) {
        sighting.map.dispose();
        throw this.gone('prompt');
      }
      this.objects.set(object, track);
      track.mark(frame, sighting);
      const marked = [...this.objects].flatMap(([id, { prompted }]) => {
        const seen = prompted.get(frame);
        return seen === undefined ? [] : [[id, seen] as const];
      });
      return { frame, objects: this.answers(marked) };
    });
  }

  /** @throws UsageError when there is no such object. */
  remove(object: number): void {
    this.checkAlive('remove');
    const track = this.objects.get(object);
    if (track === undefined)
      throw new UsageError({ code: 'E_PROMPT_INVALID', where: 'remove', what: `no object ${object} was marked` });
    track.dispose();
    this.objects.delete(object);
  }

  /**
   * Carries all objects on; each is followed on all frames, also before it was first marked. Frames on which one is marked keep its mask.
   *
   * @throws UsageError when no object was marked, or `from` is not in the clip; DataError for a frame that cannot be read, after which
   * all that was tracked before is kept; the signal's reason when it is aborted.
   */
  async *propagate(options: PropagateOptions = {}): AsyncGenerator<TrackedFrame> {
    this.checkAlive('propagate');
    const marked = [...this.objects.values()].flatMap(({ prompted }) => [...prompted.keys()]);
    const backward = options.direction === 'backward';
    for (const frame of framesToTrack(options, marked, this.clip)) {
      options.signal?.throwIfAborted();
      yield await this.inTurn(() => this.step(frame, backward));
    }
  }

  /** @throws RuntimeError after {@link dispose}. */
  async save(): Promise<TrackerState> {
    return this.inTurn(async () => {
      this.checkAlive('save');
      const copies = new Map<number, ObjectTrack>();
      for (const [id, track] of this.objects) copies.set(id, await track.copy());
      return new VideoTrackerState(copies);
    });
  }

  /** @throws UsageError for the state of a tracker of another kind; RuntimeError after {@link dispose}. */
  async restore(state: TrackerState): Promise<void> {
    if (!(state instanceof VideoTrackerState))
      throw new UsageError({ code: 'E_OPTION_VALUE', where: 'restore', what: 'this state was not saved by this tracker' });
    return this.inTurn(async () => {
      this.checkAlive('restore');
      for (const track of this.objects.values()) track.dispose();
      this.objects.clear();
      for (const [id, track] of state.objects) this.objects.set(id, track);
    });
  }

  private async step(frame: number, backward: boolean): Promise<TrackedFrame> {
    this.checkAlive('propagate');
    const seen: (readonly [number, Sighting])[] = [];
    for (const [id, track] of [...this.objects]) {
      if (track.removed) continue;
      const sighting = track.prompted.get(frame) ?? (await this.follow(track, frame, backward));
      await track.fade(frame, this.model.memory.numMaskmem - 1);
      if (!track.removed) seen.push([id, sighting]);
    }
    await this.model.settle();
    return { frame, objects: this.answers(seen) };
  }

  /** Predicts an object on a frame where it was not marked. */
  private async follow(track: ObjectTrack, frame: number, backward: boolean): Promise<Sighting> {
    const memory = await this.memoryOf(track, frame, backward);
    const outputs = await releasing(pointersIn(memory), async () => this.model.follow(await this.features.of(frame), memory));
    const sighting = { ...(await readSighting(outputs)), map: outputs.map, backward };
    if (track.removed || this.disposed) sighting.map.dispose();
    else track.track(frame, sighting);
    return sighting;
  }

  /** Predicts or takes an object's mask on a frame where it is marked. */
  private async mark(track: ObjectTrack, prompt: TrackPrompt): Promise<PromptedSighting> {
    const { frame, mask } = prompt;
    const corrected = track.reached(frame) || track.prompted.get(frame)?.corrected === true;
    const backward = track.wasBackward(frame);
    if (mask !== undefined) {
      const features = await this.features.of(frame);
      const masks = modelMask(mask, this.model.imageSize);
      const outputs = await releasing([masks], () => this.model.take(features, masks));
      return { ...(await readSighting(outputs)), map: outputs.map, backward, corrected, given: mask };
    }
    const earlier = await track.logitsOf(frame);
    const memory = corrected ? await this.memoryOf(track, frame, backward) : undefined;
    const { points, labels, count } = modelPoints(prompt, this.clip, this.model.imageSize);
    const multimask = predictsSeveral(this.model.memory, count, corrected);
    const outputs = await releasing([points, labels, ...pointersIn(memory)], async () => {
      const features = await this.features.of(frame);
      const [, h, w] = features.embeddings.shape;
      const masks = earlier && tf.tensor4d(earlier.map(limited), [1, 4 * h, 4 * w, 1]);
      const inputs = { features, memory, points, labels, masks, multimask };
      return releasing(masks === undefined ? [] : [masks], () => this.model.mark(inputs));
    });
    return { ...(await readSighting(outputs)), map: outputs.map, backward, corrected };
  }

  /** What an object's mask on a frame is predicted from. The pointers are the caller's. */
  private async memoryOf(track: ObjectTrack, frame: number, backward: boolean): Promise<ObjectMemory | undefined> {
    const { numMaskmem, maxObjectPointersInEncoder } = this.model.memory;
    const { frames } = this.clip;
    const mostPointers = Math.min(frames, maxObjectPointersInEncoder);
    const options = { frame, backward, frames, numMaskmem, mostPrompted: this.mostPrompted, mostPointers };
    const { prompted, others, pointers } = selectMemory(track, options);
    for (const other of others) if (track.hasFaded(other.frame)) await this.memoriseAgain(track, other.frame);
    const maps = [...prompted.map((at) => ({ frame: at, age: 0 })), ...others].flatMap(({ frame: at, age }) => {
      const map = track.prompted.get(at)?.map ?? track.mapOf(at);
      return map === undefined ? [] : [{ map, age }];
    });
    if (maps.length === 0) return undefined;
    const held = pointers.flatMap(({ frame: at, age }) => {
      const pointer = track.prompted.get(at)?.pointer ?? track.pointerOf(at);
      return pointer === undefined ? [] : [{ pointer, age }];
    });
    if (held.length === 0) return { frames: maps };
    const channels = this.model.pointerChannels;
    const ages = held.map(({ age }) => age / (mostPointers - 1));
    const values = Float32Array.from(held.flatMap(({ pointer }) => [...pointer]));
    return {
      frames: maps,
      pointers: tf.tensor3d(values, [1, held.length, channels]),
      pointerTimes: tf.tensor2d(temporalEncoding(ages, channels), [held.length, channels]),
    };
  }

  /** Remembers a frame again whose memory had faded. */
  private async memoriseAgain(track: ObjectTrack, frame: number): Promise<void> {
    const features = await this.features.of(frame);
    const [, h, w] = features.embeddings.shape;
    await track.restore(frame, ({ logits, objectLogit }) => {
      const former = { maskLogits: tf.tensor4d(logits, [1, 4 * h, 4 * w, 1]), objectScoreLogits: tf.tensor2d([[objectLogit]]) };
      return releasing(Object.values(former), () => this.model.memorise(features, former));
    });
  }

  private answers(seen: readonly (readonly [number, Sighting | PromptedSighting])[]): TrackedObject[] {
    const whole = seen.map(([, { logits }]) => {
      const side = Math.sqrt(logits.length);
      const found = { width: side, height: side, data: logits };
      return this.holes > 0 ? fillHoles(found, this.holes) : found;
    });
    const shown = this.overlap ? whole : withoutOverlap(whole);
    return seen.map(([object, sighting], i) => {
      const given = 'given' in sighting ? sighting.given : undefined;
      const mask = given ?? this.toClip(shown[i] as MaskLogits);
      return { object, mask, score: sighting.score, objectScore: 1 / (1 + Math.exp(-sighting.objectLogit)) };
    });
  }

  /** Runs one thing at a time. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work, work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private checkAlive(method: string): void {
    if (this.disposed) throw this.gone(method);
  }

  private gone(method: string): RuntimeError {
    return new RuntimeError({
      code: 'E_NOT_READY',
      where: `ClipTracker.${method}`,
      what: 'it was disposed',
      fix: 'Open the clip again',
    });
  }

  /** Frees what is remembered, but not the model. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const track of this.objects.values()) track.dispose();
    this.objects.clear();
    this.features.dispose();
  }
}

/** The tensors of a memory that are not the track's. */
function pointersIn(memory: ObjectMemory | undefined): tf.Tensor[] {
  return [memory?.pointers, memory?.pointerTimes].filter((tensor) => tensor !== undefined);
}

/** Frees tensors once something was computed, or failed. */
async function releasing<T>(tensors: tf.Tensor[], compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } finally {
    tf.dispose(tensors);
  }
}

/** Reads a pass's outputs and frees all but the memory. */
async function readSighting({ maskLogits, iouScores, objectScoreLogits, pointers, map }: ComputedObject): Promise<Sighting> {
  const tensors = [maskLogits, iouScores, objectScoreLogits, pointers] as const;
  const [logits, [score = Number.NaN], [objectLogit = Number.NaN], pointer] = (await Promise.all(
    tensors.map((t) => t.data<'float32'>()),
  )) as [Float32Array, Float32Array, Float32Array, Float32Array];
  tf.dispose([...tensors]);
  // NaN is never above 0: without this check the mask would silently be empty.
  if ([score, objectLogit, logits[0], pointer[0]].some(Number.isNaN)) {
    map.dispose();
    throw new CheckpointError({
      code: 'E_WEIGHTS_NOT_FINITE',
      where: 'tracker',
      what: 'its answer is not a number (NaN): its weights, or those of its adapter, are too large to compute with',
      fix: 'Take an earlier checkpoint',
    });
  }
  return { logits, score, objectLogit, pointer };
}
