import { describe, expect, it } from '@jest/globals';
import { maskArea } from '../../../src/imaging/index.js';
import {
  CarriedBoxes,
  type ClipFrame,
  type ClipOptions,
  type ClipSegmenter,
  DetectionTracker,
  Segmenter,
  TrackedSegmenter,
} from '../../../src/infer/index.js';
import { type Disc, discClip, GREYS, GreyDetector, GreyMasker } from '../../support/discs.js';
import { expectError } from '../../support/expect-error.js';

const bright = (x: number, y: number, r = 8): Disc => ({ x, y, r, grey: GREYS['bright'] as number });
const dim = (x: number, y: number, r = 8): Disc => ({ x, y, r, grey: GREYS['dim'] as number });

class Masks extends GreyMasker {
  async predictBoxes(boxes: Parameters<Segmenter['masker']['predictBoxes']>[0]) {
    return (await this.predict({ boxes })).map(({ masks: [mask] }) => mask as NonNullable<typeof mask>);
  }
}

async function all(
  segmenter: ClipSegmenter,
  clip: ReturnType<typeof discClip>,
  phrases: readonly string[],
  options: ClipOptions = {},
) {
  const frames: ClipFrame[] = [];
  for await (const frame of segmenter.segment(clip, phrases, options)) frames.push(frame);
  return frames;
}

/** Tracks in sight on each frame. */
const seen = (frames: readonly ClipFrame[]) =>
  frames.map(({ segments }) => segments.filter(({ visible }) => visible).map(({ track }) => track));

function trackers(): readonly [name: string, ClipSegmenter, GreyDetector][] {
  const [a, b] = [new GreyDetector(), new GreyDetector()];
  return [
    ['by detection', new DetectionTracker(new Segmenter(a, new Masks())), a],
    ['by a tracker', new TrackedSegmenter({ detector: b, tracking: new CarriedBoxes(new GreyMasker()) }), b],
  ];
}

describe.each(trackers().map(([name]) => name))('tracking %s', (name) => {
  const make = () => trackers().find(([own]) => own === name) as ReturnType<typeof trackers>[number];

  it('keeps two objects of one phrase apart while they move', async () => {
    const clip = discClip(20, (i) => [bright(20 + i, 20), bright(70 - i, 44)]);
    const frames = await all(make()[1], clip, ['bright']);
    expect(frames.map(({ frame }) => frame)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const { frame, segments } of frames) {
      expect(segments.map(({ track }) => track)).toEqual([1, 2]);
      // The first one is on the left of frame 0, and moves right.
      const [left, , right] = segments[0]?.boxXyxyPx ?? [];
      expect(((left as number) + (right as number)) / 2).toBeCloseTo(20.5 + frame, 0);
    }
  });

  it('shows nothing while an object is out of sight, and knows it again when it comes back', async () => {
    const clip = discClip(24, (i) => (i >= 8 && i < 14 ? [] : [bright(40, 30)]));
    const frames = await all(make()[1], clip, ['bright']);
    const tracks = seen(frames);
    expect(tracks.slice(0, 8)).toEqual(Array(8).fill([1]));
    expect(tracks.slice(8, 14)).toEqual(Array(6).fill([]));
    // A tracker is helped by the detector on every third frame.
    expect(tracks.slice(16)).toEqual(Array(8).fill([1]));
    for (const { segments } of frames.slice(8, 14))
      for (const { mask, boxXyxyPx, objectScore } of segments) {
        expect(maskArea(mask)).toBe(0);
        expect(boxXyxyPx).toBeUndefined();
        expect(objectScore).toBeLessThan(0.5);
      }
  });

  it('finds an object that the first frames do not show', async () => {
    const clip = discClip(10, (i) => (i < 4 ? [] : [bright(40, 30)]));
    expect(seen(await all(make()[1], clip, ['bright']))).toEqual([...Array(4).fill([]), ...Array(6).fill([1])]);
  });

  it('gives objects of two phrases their own', async () => {
    const clip = discClip(6, (i) => [dim(20 + i, 20), bright(70, 44)]);
    const last = (await all(make()[1], clip, ['bright', 'dim'])).at(-1);
    expect(new Set(last?.segments.map(({ track }) => track)).size).toBe(2);
    const byPhrase = new Map(last?.segments.map((segment) => [segment.phrase, segment]));
    expect(byPhrase.get('dim')?.boxXyxyPx?.[0]).toBeLessThan(40);
    expect(byPhrase.get('bright')?.boxXyxyPx?.[0]).toBeGreaterThan(50);
  });

  it('gives what appears far from a lost object a track of its own', async () => {
    const clip = discClip(16, (i) => (i < 5 ? [bright(14, 14, 5)] : [bright(80, 50, 5)]));
    expect(seen(await all(make()[1], clip, ['bright'])).at(-1)).toEqual([2]);
  });

  it('stops on request', async () => {
    const controller = new AbortController();
    const frames: number[] = [];
    for await (const { frame } of make()[1].segment(
      discClip(20, () => [bright(40, 30)]),
      ['bright'],
      { signal: controller.signal },
    )) {
      frames.push(frame);
      if (frame === 5) controller.abort();
    }
    expect(frames).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('gives the frames before a damaged one', async () => {
    const frames: number[] = [];
    const run = async () => {
      for await (const { frame } of make()[1].segment(
        discClip(9, () => [bright(40, 30)], [6]),
        ['bright'],
      ))
        frames.push(frame);
    };
    await expect(run()).rejects.toThrow('frame 6');
    expect(frames).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('refuses a number of frames that is none', async () => {
    for (const every of [0, -2, 1.5])
      await expectError(
        all(
          make()[1],
          discClip(3, () => []),
          ['bright'],
          { every },
        ),
        { code: 'E_OPTION_VALUE', where: 'every' },
      );
  });
});

describe('a tracker with a detector', () => {
  const make = () => trackers()[1] as ReturnType<typeof trackers>[number];

  it('asks the detector no more once everything is in sight and was found twice', async () => {
    const [, segmenter, detector] = make();
    await all(
      segmenter,
      discClip(20, (i) => [bright(20 + i, 20)]),
      ['bright'],
    );
    expect(detector.asked).toHaveLength(2);
  });

  it('gives up what the detector found on one frame alone', async () => {
    const detector = new (class extends GreyDetector {
      override async detect(image: Parameters<GreyDetector['detect']>[0], phrases: readonly string[]) {
        const found = await super.detect(image, phrases);
        return this.asked.length === 1 ? found : found.filter(({ boxXyxyPx: [left] }) => left < 50);
      }
    })();
    const segmenter = new TrackedSegmenter({ detector, tracking: new CarriedBoxes(new GreyMasker()) });
    // The masker sees both throughout: only the detector takes the right one for nothing later.
    const frames = await all(
      segmenter,
      discClip(14, () => [bright(20, 20), bright(70, 44)]),
      ['bright'],
    );
    expect(seen(frames).map((tracks) => tracks.length)).toEqual([...Array(6).fill(2), ...Array(8).fill(1)]);
    expect(seen(frames).at(-1)).toEqual([1]);
  });

  it('marks an object again where the detector is surer than it was', async () => {
    const detector = new (class extends GreyDetector {
      override async detect(image: Parameters<GreyDetector['detect']>[0], phrases: readonly string[]) {
        const found = await super.detect(image, phrases);
        const score = [0.4, 0.9, 0.6][this.asked.length - 1] ?? 0.5;
        return found.map((detection) => ({ ...detection, score }));
      }
    })();
    const tracking = new CarriedBoxes(new GreyMasker());
    const marked: number[] = [];
    const segmenter = new TrackedSegmenter({
      detector,
      tracking: {
        async track(clip) {
          const tracker = await tracking.track(clip);
          const { prompt } = tracker;
          tracker.prompt = (given) => {
            marked.push(given.frame);
            return prompt.call(tracker, given);
          };
          return tracker;
        },
      },
    });
    const frames = await all(
      segmenter,
      discClip(9, () => [bright(20, 20)]),
      ['bright'],
      { every: 2 },
    );
    expect(marked).toEqual([0, 2]);
    expect(frames.map(({ segments: [segment] }) => segment?.score)).toEqual([0.4, 0.4, 0.9, 0.9, 0.6, 0.6, 0.5, 0.5, 0.5]);
  });

  it('detects objects again after it has given up all of them', async () => {
    const detector = new (class extends GreyDetector {
      override async detect(image: Parameters<GreyDetector['detect']>[0], phrases: readonly string[]) {
        const found = await super.detect(image, phrases);
        return [2, 3, 4].includes(this.asked.length) ? [] : found;
      }
    })();
    const segmenter = new TrackedSegmenter({ detector, tracking: new CarriedBoxes(new GreyMasker()) });
    const frames = await all(
      segmenter,
      discClip(12, () => [bright(20, 20)]),
      ['bright'],
    );
    expect(seen(frames)).toEqual([...Array(6).fill([1]), [], [], ...Array(4).fill([2])]);
  });

  it('looks for a phrase that the first frames do not show while it follows another', async () => {
    const clip = discClip(12, (i) => [bright(20, 20), ...(i < 4 ? [] : [dim(70, 44)])]);
    const frames = seen(await all(make()[1], clip, ['bright', 'dim']));
    expect(frames[5]).toEqual([1]);
    expect(frames[6]).toEqual([1, 2]);
    expect(frames.at(-1)).toEqual([1, 2]);
  });

  it('finds what appears later on the next frame on which it looks, and not without looking', async () => {
    const clip = discClip(16, (i) => [bright(20, 20), ...(i < 7 ? [] : [bright(70, 44)])]);
    const looking = seen(await all(make()[1], clip, ['bright'], { every: 5 }));
    expect(looking[9]).toEqual([1]);
    expect(looking[10]).toEqual([1, 2]);
    expect(looking.at(-1)).toEqual([1, 2]);
    expect(seen(await all(make()[1], clip, ['bright'])).at(-1)).toEqual([1]);
  });

  it('makes one object of two tracks that came to lie on each other', async () => {
    // They touch in the end, and the masker then gives both together for each.
    const clip = discClip(30, (i) => [bright(30 + Math.min(i, 12), 30), bright(54 - Math.min(i, 12), 30)]);
    const tracks = seen(await all(make()[1], clip, ['bright']));
    expect(tracks[0]).toEqual([1, 2]);
    expect(tracks.at(-1)).toEqual([1]);
  });
});
