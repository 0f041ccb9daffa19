import { type BinaryMask, boxOfMask } from '../../imaging/index.js';
import type { ClipSegmenter, ClipTracking, TrackPrompt } from '../../infer/index.js';
import { distanceTransform } from '../../metrics/index.js';
import { joined, meanOf, type PredictedObject, SwitchCounter, type TargetScore, TargetScorer } from './clip-score.js';
import type { LabelledClip, TrueObject } from './labelled-clip.js';

/** What a tracker is given: the names alone, the true box of each object on its first frame, or one click in its middle there. */
export const clipProtocols = ['text only', 'first box', 'one click'] as const;
export type ClipProtocol = (typeof clipProtocols)[number];

/** What follows objects, and its name in tables. */
export interface ClipMethod {
  readonly name: string;
  /** For the protocol of text. */
  readonly segmenter: ClipSegmenter;
  /** For the protocols of boxes and clicks. */
  readonly tracking: ClipTracking;
}

/** Scores of a method on one clip by one protocol. */
export interface ClipScore {
  readonly clip: string;
  readonly method: string;
  readonly protocol: ClipProtocol;
  readonly targets: readonly TargetScore[];
  readonly identitySwitches: number;
  /** Frames of the clip, and the time that they took. */
  readonly frames: number;
  readonly seconds: number;
}

/** Objects predicted on a frame. */
interface PredictedFrame {
  readonly frame: number;
  readonly objects: readonly PredictedObject[];
}

/**
 * Follows the objects of a clip by one protocol and compares each frame with the ground truth. With text, a target is all that a
 * phrase names, and all frames count; with boxes and clicks, a target is an object, and the frames after its prompt count.
 *
 * @param onFrame - called after each frame.
 */
export async function scoreClip(
  labelled: LabelledClip,
  method: ClipMethod,
  protocol: ClipProtocol,
  onFrame?: (frame: number) => void,
): Promise<ClipScore> {
  const { clip, phrases } = labelled;
  const prompts = protocol === 'text only' ? [] : await promptsOf(labelled, protocol);
  const begin = new Map(prompts.map(({ object, frame }) => [object, frame]));
  const scorers = new Map<string, TargetScorer>();
  const switches = new SwitchCounter();
  const started = performance.now();
  let spent = 0;
  const frames = protocol === 'text only' ? byText(labelled, method) : byPrompts(labelled, method, prompts);
  for await (const { frame, objects } of frames) {
    const paused = performance.now();
    const truth = await labelled.truth(frame);
    const add = (key: string, predicted: readonly BinaryMask[], own: readonly BinaryMask[], counts: boolean) => {
      const scorer = scorers.get(key) ?? new TargetScorer(key);
      scorers.set(key, scorer);
      scorer.add(joined(predicted, clip), joined(own, clip), counts);
    };
    const masksOf = <T extends { readonly mask: BinaryMask }>(list: readonly T[], which: (one: T) => boolean) =>
      list.filter(which).map(({ mask }) => mask);
    if (protocol === 'text only')
      for (const phrase of phrases)
        add(
          phrase,
          masksOf(objects, (one) => one.phrase === phrase),
          masksOf(truth, (one) => one.phrase === phrase),
          true,
        );
    else
      for (const [object, first] of begin)
        if (frame >= first)
          add(
            `object ${object}`,
            masksOf(objects, (one) => one.track === object),
            masksOf(truth, (one) => one.object === object),
            frame > first,
          );
    switches.add(objects, truth);
    onFrame?.(frame);
    spent += performance.now() - paused;
  }
  return {
    clip: clip.name,
    method: method.name,
    protocol,
    targets: [...scorers.values()].map((scorer) => scorer.score()),
    identitySwitches: switches.switches,
    frames: clip.frames,
    seconds: (performance.now() - started - spent) / 1000,
  };
}

async function* byText({ clip, phrases }: LabelledClip, { segmenter }: ClipMethod): AsyncGenerator<PredictedFrame> {
  for await (const { frame, segments } of segmenter.segment(clip, phrases))
    yield { frame, objects: segments.filter(({ visible }) => visible) };
}

async function* byPrompts(
  { clip }: LabelledClip,
  { tracking }: ClipMethod,
  prompts: readonly (TrackPrompt & { readonly phrase: string })[],
): AsyncGenerator<PredictedFrame> {
  const tracker = await tracking.track(clip);
  const phraseOf = new Map(prompts.map(({ object, phrase }) => [object, phrase]));
  try {
    for (const { phrase: _, ...prompt } of prompts) await tracker.prompt(prompt);
    for await (const { frame, objects } of tracker.propagate())
      yield { frame, objects: objects.map(({ object, mask }) => ({ track: object, phrase: phraseOf.get(object) ?? '', mask })) };
  } finally {
    tracker.dispose();
  }
}

/** A prompt for each object on the first frame that shows it. */
async function promptsOf(
  { clip, truth }: LabelledClip,
  protocol: Exclude<ClipProtocol, 'text only'>,
): Promise<(TrackPrompt & { readonly phrase: string })[]> {
  const prompts = new Map<number, TrackPrompt & { readonly phrase: string }>();
  for (let frame = 0; frame < clip.frames; frame++)
    for (const own of await truth(frame))
      if (!prompts.has(own.object))
        prompts.set(own.object, { frame, object: own.object, phrase: own.phrase, ...promptOf(own, protocol) });
  return [...prompts.values()];
}

function promptOf(
  { mask }: TrueObject,
  protocol: Exclude<ClipProtocol, 'text only'>,
): Pick<TrackPrompt, 'box' | 'points' | 'labels'> {
  if (protocol === 'first box') return { box: boxOfMask(mask) };
  return { points: [middleOf(mask)], labels: [1] };
}

/** The pixel of a mask that lies deepest in it. */
function middleOf({ width, height, data }: BinaryMask): readonly [number, number] {
  // With a border around it: the image's edge ends a mask too.
  const [w, h] = [width + 2, height + 2];
  const outside = new Uint8Array(w * h).fill(1);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) outside[(y + 1) * w + x + 1] = 1 - (data[y * width + x] as number);
  const depth = distanceTransform({ width: w, height: h, data: outside });
  let best = 0;
  for (let i = 0; i < depth.length; i++) if ((depth[i] as number) > (depth[best] as number)) best = i;
  return [(best % w) - 0.5, Math.floor(best / w) - 0.5];
}

/** Means over all targets of all clips, for one method and protocol. */
export interface ClipSummary extends Omit<TargetScore, 'target' | 'frames'> {
  readonly method: string;
  readonly protocol: ClipProtocol;
  readonly clips: number;
  readonly targets: number;
  readonly frames: number;
  readonly identitySwitches: number;
  readonly framesPerSecond: number;
}

/** Averages the scores of each method and protocol, in the order in which they come. */
export function summariseClips(scores: readonly ClipScore[]): ClipSummary[] {
  const keys = [...new Set(scores.map(({ method, protocol }) => `${method}\0${protocol}`))];
  return keys.map((key) => {
    const own = scores.filter(({ method, protocol }) => `${method}\0${protocol}` === key);
    const [first] = own as [ClipScore, ...ClipScore[]];
    const targets = own.flatMap((score) => score.targets);
    const over = (name: 'j' | 'f' | 'jf' | 'dsc' | 'consistency' | 'trueConsistency') =>
      meanOf(targets.flatMap((target) => target[name] ?? []));
    const frames = own.reduce((sum, score) => sum + score.frames, 0);
    return {
      method: first.method,
      protocol: first.protocol,
      clips: own.length,
      targets: targets.length,
      frames,
      j: over('j'),
      f: over('f'),
      jf: over('jf'),
      dsc: over('dsc'),
      consistency: over('consistency'),
      trueConsistency: over('trueConsistency'),
      identitySwitches: own.reduce((sum, score) => sum + score.identitySwitches, 0),
      framesPerSecond:
        frames /
        Math.max(
          1e-9,
          own.reduce((sum, score) => sum + score.seconds, 0),
        ),
    };
  });
}
