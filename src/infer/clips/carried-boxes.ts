import { type BinaryMask, type BoxXyxy, boxOfMask, type Clip } from '../../imaging/index.js';
import { DataError, UsageError } from '../../util/index.js';
import type { ClipTracker, ClipTracking, TrackedFrame, TrackedObject, TrackerState, TrackPrompt } from '../clip-tracker.js';
import type { ImageFeatures, ImagePredictor } from '../image-predictor.js';
import type { MaskPrompts } from '../mask-prompts.js';
import type { PromptAnswer } from '../masker.js';
import { emptyMask } from './tracks.js';

/** What {@link CarriedBoxes} needs of a masker. */
export type PromptedMasker = Pick<ImagePredictor<ImageFeatures>, 'setImage' | 'predict' | 'dispose'>;

/** Margin around a mask's box, relative to its sides, within which the object may have moved. */
const MARGIN = 0.04;

const SEEN = 0.5;

/**
 * A tracker without a memory, for comparison: the box of an object's mask on one frame is its prompt on the next. It loses what
 * moves fast or leaves, and drifts, since nothing remembers how the object looked. Owns its masker.
 */
export class CarriedBoxes implements ClipTracking {
  private readonly masker: PromptedMasker;

  constructor(masker: PromptedMasker) {
    this.masker = masker;
  }

  async track(clip: Clip): Promise<ClipTracker> {
    return new BoxTracker(clip, this.masker);
  }

  dispose(): void {
    this.masker.dispose();
  }
}

/** Copies of a tracker's prompts and answers. */
class BoxTrackerState implements TrackerState {
  readonly prompts: ReadonlyMap<number, ReadonlyMap<number, TrackPrompt>>;
  readonly answers: ReadonlyMap<number, ReadonlyMap<number, TrackedObject>>;

  constructor(prompts: BoxTrackerState['prompts'], answers: BoxTrackerState['answers']) {
    this.prompts = copied(prompts);
    this.answers = copied(answers);
  }

  dispose(): void {}
}

function copied<T>(maps: ReadonlyMap<number, ReadonlyMap<number, T>>): Map<number, Map<number, T>> {
  return new Map([...maps].map(([frame, own]) => [frame, new Map(own)]));
}

class BoxTracker implements ClipTracker {
  private readonly clip: Clip;
  private readonly masker: PromptedMasker;
  /** Prompts by frame and object. */
  private prompts = new Map<number, Map<number, TrackPrompt>>();
  /** The last mask of each object, by frame. */
  private answers = new Map<number, Map<number, TrackedObject>>();

  constructor(clip: Clip, masker: PromptedMasker) {
    this.clip = clip;
    this.masker = masker;
  }

  async prompt(prompt: TrackPrompt): Promise<TrackedFrame> {
    const { frame, object } = prompt;
    if (prompt.box === undefined && prompt.points === undefined && prompt.mask === undefined)
      throw new UsageError({
        code: 'E_PROMPT_INVALID',
        where: `frame ${frame}`,
        what: 'nothing marks the object',
        fix: 'Give a box, points with labels, or a mask',
      });
    const own = this.prompts.get(frame) ?? new Map<number, TrackPrompt>();
    this.prompts.set(frame, own.set(object, prompt));
    const answers = this.answers.get(frame) ?? new Map<number, TrackedObject>();
    this.answers.set(frame, answers.set(object, await this.ask(frame, prompt, true)));
    return { frame, objects: [...own.keys()].flatMap((id) => answers.get(id) ?? []) };
  }

  remove(object: number): void {
    for (const map of [...this.prompts.values(), ...this.answers.values()]) map.delete(object);
    for (const [frame, own] of this.prompts) if (own.size === 0) this.prompts.delete(frame);
  }

  async *propagate({
    from,
    direction = 'forward',
    frames = this.clip.frames,
    signal,
  }: Parameters<ClipTracker['propagate']>[0] = {}): AsyncGenerator<TrackedFrame> {
    if (this.prompts.size === 0)
      throw new UsageError({
        code: 'E_PROMPT_INVALID',
        where: 'propagate',
        what: 'no object was marked',
        fix: 'Call prompt first',
      });
    const step = direction === 'forward' ? 1 : -1;
    const prompted = [...this.prompts.keys()];
    let frame = from ?? (step > 0 ? Math.min(...prompted) : Math.max(...prompted));
    for (let n = 0; n < frames && frame >= 0 && frame < this.clip.frames; n++, frame += step) {
      if (signal?.aborted) return;
      const before = this.answers.get(frame - step) ?? new Map<number, TrackedObject>();
      const own = this.prompts.get(frame) ?? new Map<number, TrackPrompt>();
      const now = new Map<number, TrackedObject>();
      for (const object of new Set([...own.keys(), ...before.keys()])) {
        const marked = own.get(object);
        const prompt = marked ?? carried(frame, object, before.get(object), this.clip);
        now.set(object, prompt === undefined ? gone(object, this.clip) : await this.ask(frame, prompt, marked !== undefined));
      }
      this.answers.set(frame, now);
      // Only the neighbour is ever needed, and frames that were prompted.
      this.answers.delete(frame - 2 * step);
      yield { frame, objects: [...now.values()] };
    }
  }

  /** @param marked - by the caller, who sees the object whatever its score. */
  private async ask(frame: number, { object, box, points, labels, mask }: TrackPrompt, marked: boolean): Promise<TrackedObject> {
    if (mask !== undefined) return { object, mask, score: 1, objectScore: 1 };
    await this.masker.setImage(await this.clip.frame(frame));
    const prompts: MaskPrompts = {
      ...(box && { boxes: [box] }),
      ...(points && { points: [points], labels: [labels ?? points.map(() => 1)] }),
    };
    const [answer] = (await this.masker.predict(prompts)) as [PromptAnswer];
    const [best] = answer.masks;
    if (best === undefined)
      throw new DataError({
        code: 'E_SHAPE',
        where: `frame ${frame}`,
        what: 'the masker gave no mask',
        fix: 'Take another masker',
      });
    const objectScore = marked ? 1 : (answer.objectScore ?? best.score);
    return { object, mask: objectScore < SEEN ? emptyMask(this.clip) : best.mask, score: best.score, objectScore };
  }

  async save(): Promise<TrackerState> {
    return new BoxTrackerState(this.prompts, this.answers);
  }

  /** @throws UsageError for the state of a tracker of another kind. */
  async restore(state: TrackerState): Promise<void> {
    if (!(state instanceof BoxTrackerState))
      throw new UsageError({ code: 'E_OPTION_VALUE', where: 'restore', what: 'this state was not saved by this tracker' });
    this.prompts = copied(state.prompts);
    this.answers = copied(state.answers);
  }

  dispose(): void {
    this.prompts.clear();
    this.answers.clear();
  }
}

/** The prompt that an object's mask on one frame is for the next; undefined if it was not there. */
function carried(frame: number, object: number, last: TrackedObject | undefined, clip: Clip): TrackPrompt | undefined {
  const box = last && boxOfMask(last.mask);
  return box && { frame, object, box: widened(box, clip) };
}

function widened([x0, y0, x1, y1]: BoxXyxy, { width, height }: Clip): BoxXyxy {
  const [dx, dy] = [MARGIN * (x1 - x0), MARGIN * (y1 - y0)];
  return [Math.max(0, x0 - dx), Math.max(0, y0 - dy), Math.min(width, x1 + dx), Math.min(height, y1 + dy)];
}

function gone(object: number, clip: Clip): TrackedObject {
  const mask: BinaryMask = emptyMask(clip);
  return { object, mask, score: 0, objectScore: 0 };
}
