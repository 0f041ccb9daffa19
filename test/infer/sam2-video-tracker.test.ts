import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { Clip } from '../../src/imaging/index.js';
import { type ClipTracker, Sam2VideoPredictor, type TrackedFrame } from '../../src/infer/index.js';
import { DataError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { videoImages, videoModel } from '../support/video-fixture.js';

useBackend();

const [WIDTH, HEIGHT] = [72, 56];

/** A disc that moves to and fro over a ramp; no frame is held. Frame `broken` cannot be read, frame `larger` has another size. */
function movingClip(frames: number, { broken = -1, larger = -1 } = {}): Clip & { readonly reads: number[] } {
  const reads: number[] = [];
  const frame = async (index: number) => {
    reads.push(index);
    if (index === broken)
      throw new DataError({ code: 'E_IMAGE_DAMAGED', where: `moving, frame ${index}`, what: 'it is cut off' });
    const width = index === larger ? WIDTH + 1 : WIDTH;
    const [x0, y0] = [30 + 14 * Math.sin(index / 6), 28 + 8 * Math.cos(index / 9)];
    const pixel = (i: number) => ((i % width) - x0) ** 2 + (Math.floor(i / width) - y0) ** 2;
    const data = Uint8Array.from({ length: width * HEIGHT * 3 }, (_, i) => {
      const at = Math.floor(i / 3);
      return pixel(at) < 90 ? 220 : (at * 7 + index * 3) % 60;
    });
    return { width, height: HEIGHT, data };
  };
  return { name: 'moving', frames, width: WIDTH, height: HEIGHT, frame, reads };
}

let predictor: Sam2VideoPredictor;
beforeAll(async () => {
  predictor = new Sam2VideoPredictor({ model: await videoModel(), imageProcessor: videoImages() });
});
afterAll(() => predictor.dispose());

const BOX = [20, 20, 42, 45] as const;

async function all(frames: AsyncIterable<TrackedFrame>): Promise<TrackedFrame[]> {
  const found: TrackedFrame[] = [];
  for await (const frame of frames) found.push(frame);
  return found;
}

/** Opens a clip and marks an object on a frame. */
async function marked(clip: Clip, frame = 0): Promise<ClipTracker> {
  const tracker = await predictor.track(clip);
  await tracker.prompt({ frame, object: 5, box: BOX });
  return tracker;
}

function differing(a: TrackedFrame, b: TrackedFrame): number {
  const [one, other] = [a, b].map(({ objects }) => [...(objects[0]?.mask.data ?? [])]) as [number[], number[]];
  return one.reduce((sum, value, i) => sum + (value === other[i] ? 0 : 1), 0);
}

describe('a long clip', () => {
  it('takes no more tensors and bytes after 200 frames than after 20', async () => {
    const tracker = await marked(movingClip(200));
    const held: { numTensors: number; numBytes: number }[] = [];
    for await (const { frame } of tracker.propagate()) {
      const { numTensors, numBytes } = tf.memory();
      if (frame >= 20) held.push({ numTensors, numBytes });
    }
    tracker.dispose();
    expect(held.length).toBe(180);
    expect(new Set(held.map(({ numTensors, numBytes }) => `${numTensors} ${numBytes}`)).size).toBe(1);
  });

  it('is remembered again from any frame, though what was held of it had to go', async () => {
    const clip = movingClip(60);
    const tracker = await marked(clip);
    const first = await all(tracker.propagate());
    // Masks of the last 32 frames out of the window are held as they were, earlier ones packed.
    const [late] = await all(tracker.propagate({ from: 40, frames: 1 }));
    expect(differing(late as TrackedFrame, first[40] as TrackedFrame)).toBeLessThanOrEqual(1);
    expect(late?.objects[0]?.objectScore).toBeCloseTo(first[40]?.objects[0]?.objectScore as number, 4);
    const [early] = await all(tracker.propagate({ from: 12, frames: 1 }));
    expect(early?.objects[0]?.objectScore).toBeCloseTo(first[12]?.objects[0]?.objectScore as number, 1);
    expect(differing(early as TrackedFrame, first[12] as TrackedFrame)).toBeLessThan(0.03 * WIDTH * HEIGHT);
    tracker.dispose();
  });
});

describe('frames', () => {
  it('are read once for all objects, and in the order asked for', async () => {
    const clip = movingClip(9);
    const tracker = await predictor.track(clip);
    for (const object of [1, 2, 3]) await tracker.prompt({ frame: 4, object, box: BOX });
    const forward = await all(tracker.propagate());
    expect(forward.map(({ frame }) => frame)).toEqual([4, 5, 6, 7, 8]);
    expect(forward[2]?.objects.map(({ object }) => object)).toEqual([1, 2, 3]);
    expect(clip.reads).toEqual([4, 5, 6, 7, 8]);
    const backward = await all(tracker.propagate({ direction: 'backward', frames: 3 }));
    expect(backward.map(({ frame }) => frame)).toEqual([4, 3, 2]);
    tracker.dispose();
  });

  it('end at the one that cannot be read or has another size; those before stay', async () => {
    for (const [clip, code, what] of [
      [movingClip(6, { broken: 3 }), 'E_IMAGE_DAMAGED', /cut off/],
      [movingClip(6, { larger: 3 }), 'E_SHAPE', /expected 72x56 pixels of three bytes, as the clip has, got 73x56/],
    ] as const) {
      const start = tf.memory().numTensors;
      const tracker = await marked(clip);
      const done: number[] = [];
      const run = async () => {
        for await (const { frame } of tracker.propagate()) done.push(frame);
      };
      await expectError(run(), { code, where: 'moving, frame 3', what });
      expect(done).toEqual([0, 1, 2]);
      expect((await all(tracker.propagate({ from: 1, frames: 2 }))).length).toBe(2);
      tracker.dispose();
      expect(tf.memory().numTensors).toBe(start);
    }
  });

  it('of a clip of one are tracked too', async () => {
    const tracker = await marked(movingClip(1));
    expect((await all(tracker.propagate())).map(({ frame }) => frame)).toEqual([0]);
    expect((await all(tracker.propagate({ direction: 'backward' }))).length).toBe(1);
    tracker.dispose();
  });

  it('are left when the signal is aborted', async () => {
    const tracker = await marked(movingClip(9));
    const control = new AbortController();
    const done: number[] = [];
    const run = async () => {
      for await (const { frame } of tracker.propagate({ signal: control.signal })) if (done.push(frame) === 3) control.abort();
    };
    await expect(run()).rejects.toThrow('abort');
    expect(done).toEqual([0, 1, 2]);
    tracker.dispose();
  });
});

describe('objects', () => {
  it('leave nothing behind when they are removed and the tracker is disposed', async () => {
    const clip = movingClip(12);
    const before = await all((await marked(clip)).propagate()); // makes what stays with the predictor
    expect(before.length).toBe(12);
    const tracker = await predictor.track(clip);
    const start = tf.memory().numTensors;
    await tracker.prompt({ frame: 0, object: 1, box: BOX });
    await tracker.prompt({ frame: 0, object: 2, points: [[50, 30]], labels: [1] });
    await all(tracker.propagate({ frames: 4 }));
    tracker.remove(2);
    const rest = await all(tracker.propagate({ from: 4 }));
    expect(rest.map(({ objects }) => objects.map(({ object }) => object))).toEqual(Array(8).fill([1]));
    tracker.dispose();
    tracker.dispose();
    expect(tf.memory().numTensors).toBe(start);
  });

  it('may be removed while they are followed', async () => {
    const tracker = await predictor.track(movingClip(5));
    await tracker.prompt({ frame: 0, object: 1, box: BOX });
    await tracker.prompt({ frame: 0, object: 2, box: BOX });
    const steps = tracker.propagate({ from: 1 })[Symbol.asyncIterator]();
    const next = steps.next();
    tracker.remove(1);
    const { value } = (await next) as IteratorYieldResult<TrackedFrame>;
    expect(value.objects.map(({ object }) => object)).toEqual([2]);
    tracker.dispose();
  });

  it('given as an empty mask are not visible, and their mask is empty', async () => {
    const tracker = await predictor.track(movingClip(4));
    const mask = { width: WIDTH, height: HEIGHT, data: new Uint8Array(WIDTH * HEIGHT) };
    const { objects } = await tracker.prompt({ frame: 2, object: 1, mask });
    expect(objects[0]?.objectScore).toBeLessThan(1e-4);
    expect(objects[0]?.mask.data.some((value) => value !== 0)).toBe(false);
    tracker.dispose();
  });

  it('keep the mask that was given or corrected when a propagation passes', async () => {
    const tracker = await marked(movingClip(6));
    await all(tracker.propagate());
    const corrected = await tracker.prompt({ frame: 3, object: 5, points: [[30, 30], [60, 50]], labels: [1, 0] }); // biome-ignore format: two points
    const again = await all(tracker.propagate());
    expect(differing(again[3] as TrackedFrame, corrected)).toBe(0);
    tracker.dispose();
  });
});

describe('a state that was saved', () => {
  it('is what the tracker goes back to, whatever came after it', async () => {
    const clip = movingClip(20);
    const tracker = await marked(clip);
    const first = await all(tracker.propagate());
    const state = await tracker.save();
    // A correction, another object, and another pass that overwrites everything.
    await tracker.prompt({ frame: 8, object: 5, points: [[60, 10]], labels: [1] }); // biome-ignore format: one point
    await tracker.prompt({ frame: 2, object: 9, box: BOX });
    await all(tracker.propagate());
    await tracker.restore(state);
    // The masks of the last frames are held as they were, earlier ones packed.
    for (const [from, digits] of [
      [18, 4],
      [10, 1],
    ] as const) {
      const [again] = await all(tracker.propagate({ from, frames: 1 }));
      expect(again?.objects.map(({ object }) => object)).toEqual([5]);
      expect(again?.objects[0]?.objectScore).toBeCloseTo(first[from]?.objects[0]?.objectScore as number, digits);
      expect(differing(again as TrackedFrame, first[from] as TrackedFrame)).toBeLessThanOrEqual(digits === 4 ? 1 : 40);
    }
    tracker.dispose();
  });

  it('leaves nothing behind, restored or not', async () => {
    const clip = movingClip(12);
    const tracker = await predictor.track(clip);
    const start = tf.memory().numTensors;
    await tracker.prompt({ frame: 0, object: 1, box: BOX });
    const [one, other] = [await tracker.save(), await tracker.save()];
    await all(tracker.propagate({ frames: 10 }));
    const late = await tracker.save();
    await tracker.restore(one);
    other.dispose();
    late.dispose();
    tracker.dispose();
    expect(tf.memory().numTensors).toBe(start);
  });

  it('of another tracker is refused', async () => {
    const tracker = await marked(movingClip(3));
    await expectError(tracker.restore({ dispose: () => {} }), { code: 'E_OPTION_VALUE', where: 'restore' });
    tracker.dispose();
  });
});

describe('what cannot be tracked', () => {
  it.each([
    [{ frame: 6, object: 1, box: BOX }, /there is no frame 6: it has 6, counted from 0/],
    [{ frame: -1, object: 1, box: BOX }, /there is no frame -1/],
    [{ frame: 0.5, object: 1, box: BOX }, /there is no frame 0.5/],
    [{ frame: 0, object: Number.NaN, box: BOX }, /expected an integer for the object, got NaN/],
    [{ frame: 0, object: 1 }, /there is none/],
    [{ frame: 0, object: 1, box: [0, 0, 500, 20] as const }, /reaches out of the image, which is 72x56/],
    [{ frame: 0, object: 1, points: [[1, 1]] as const }, /points and labels come together/],
    [{ frame: 0, object: 1, box: BOX, mask: { width: 2, height: 2, data: new Uint8Array(4) } }, /a mask comes alone/],
    [{ frame: 0, object: 1, mask: { width: 2, height: 2, data: new Uint8Array(4) } }, /expected a mask of 72x56, got 2x2/],
  ])('is a prompt %j', async (prompt, what) => {
    const tracker = await predictor.track(movingClip(6));
    const code = /no frame/.test(String(what)) ? 'E_OPTION_VALUE' : 'E_PROMPT_INVALID';
    await expectError(tracker.prompt(prompt), { code, what });
    // An invalid prompt makes no object.
    await expectError(all(tracker.propagate()), { code: 'E_PROMPT_INVALID', what: 'no object is marked on any frame' });
    tracker.dispose();
  });

  it('is a propagation from a frame that is not there, for no frames, or after the tracker was disposed', async () => {
    const tracker = await marked(movingClip(6));
    await expectError(all(tracker.propagate({ from: 6 })), { code: 'E_OPTION_VALUE', what: /there is no frame 6/ });
    await expectError(all(tracker.propagate({ frames: 0 })), { code: 'E_OPTION_VALUE', what: /1 or more, got 0/ });
    expect(() => tracker.remove(9)).toThrow('no object 9 was marked');
    tracker.dispose();
    await expectError(all(tracker.propagate()), { code: 'E_NOT_READY' });
    await expectError(tracker.prompt({ frame: 0, object: 1, box: BOX }), { code: 'E_NOT_READY' });
  });
});
