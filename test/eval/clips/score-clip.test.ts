import { describe, expect, it } from '@jest/globals';
import type { Dataset, Sample } from '../../../src/data/index.js';
import {
  type ClipMethod,
  type ClipProtocol,
  clipTable,
  type LabelledClip,
  markdownTable,
  scoreClip,
  sequencesOf,
  summariseClips,
} from '../../../src/eval/index.js';
import { boxOfMask } from '../../../src/imaging/index.js';
import { CarriedBoxes, DetectionTracker, Segmenter, TrackedSegmenter } from '../../../src/infer/index.js';
import { type Disc, discClip, GREYS, GreyDetector, GreyMasker, maskOfDisc } from '../../support/discs.js';
import { expectError } from '../../support/expect-error.js';

const bright = (x: number, y: number, r = 8): Disc => ({ x, y, r, grey: GREYS['bright'] as number });

/** A clip of bright discs with their true masks. */
function labelled(frames: number, discsAt: (frame: number) => readonly (Disc | undefined)[]): LabelledClip {
  return {
    clip: discClip(frames, (frame) => discsAt(frame).flatMap((disc) => disc ?? [])),
    phrases: ['bright'],
    truth: async (frame) =>
      discsAt(frame).flatMap((disc, k) =>
        disc === undefined ? [] : [{ object: k + 1, phrase: 'bright', mask: maskOfDisc(disc) }],
      ),
  };
}

function method(): ClipMethod {
  const tracking = new CarriedBoxes(new GreyMasker());
  return { name: 'ours', segmenter: new TrackedSegmenter({ detector: new GreyDetector(), tracking }), tracking };
}

describe('a clip that is followed without a fault', () => {
  it.each<ClipProtocol>(['text only', 'first box', 'one click'])('has full scores by %s', async (protocol) => {
    const score = await scoreClip(
      labelled(9, (i) => [bright(20 + i, 20), bright(70, 44)]),
      method(),
      protocol,
    );
    expect(score.targets).toHaveLength(protocol === 'text only' ? 1 : 2);
    for (const { j, f, jf, dsc, frames } of score.targets) {
      expect([j, f, jf, dsc]).toEqual([100, 100, 100, 100]);
      // The frame that the prompt was drawn on does not count.
      expect(frames).toBe(protocol === 'text only' ? 9 : 8);
    }
    expect(score.identitySwitches).toBe(0);
  });

  it('is as steady as the ground truth, which moves', async () => {
    const { targets } = await scoreClip(
      labelled(6, (i) => [bright(20 + 2 * i, 20)]),
      method(),
      'text only',
    );
    expect(targets[0]?.consistency).toBeCloseTo(targets[0]?.trueConsistency as number, 9);
    expect(targets[0]?.trueConsistency).toBeLessThan(95);
    expect(targets[0]?.trueConsistency).toBeGreaterThan(60);
  });
});

describe('faults', () => {
  it('count for nothing on the frames that they are on: a masker that sees what is not there', async () => {
    // The second disc is no object, but the detector takes it for one.
    const clip = labelled(4, () => [bright(20, 20)]);
    const wrong = discClip(4, (i) => [bright(20, 20), ...(i >= 2 ? [bright(70, 44)] : [])]);
    const segmenter = new DetectionTracker(new Segmenter(new GreyDetector(), boxes()));
    const { targets } = await scoreClip(
      { ...clip, clip: wrong },
      { name: 'ours', segmenter, tracking: new CarriedBoxes(new GreyMasker()) },
      'text only',
    );
    expect(targets[0]?.j).toBeCloseTo(75, 6);
  });

  it('are zeros on frames without the object on which something is found, and full scores where nothing is', async () => {
    const absent = labelled(4, (i) => [i < 2 ? bright(20, 20) : undefined]);
    const right = await scoreClip(absent, method(), 'text only');
    expect(right.targets[0]?.j).toBe(100);
    const stays = { ...absent, clip: discClip(4, () => [bright(20, 20)]) };
    expect((await scoreClip(stays, method(), 'text only')).targets[0]?.j).toBe(50);
  });

  it('are counted as switches where an object goes on under another track', async () => {
    const jump = labelled(8, (i) => [i < 4 ? bright(14, 14, 5) : bright(80, 50, 5)]);
    const segmenter = new DetectionTracker(new Segmenter(new GreyDetector(), boxes()));
    const score = await scoreClip(jump, { name: 'ours', segmenter, tracking: new CarriedBoxes(new GreyMasker()) }, 'text only');
    expect(score.identitySwitches).toBe(1);
  });
});

it('the table has a row for each method and protocol, with means over all objects', async () => {
  const clips = [labelled(4, (i) => [i < 2 ? bright(20, 20) : undefined]), labelled(4, () => [bright(30, 30)])];
  const [first, second] = clips as [LabelledClip, LabelledClip];
  const stays = { ...first, clip: discClip(4, () => [bright(20, 20)]) };
  const scores = [
    await scoreClip(stays, method(), 'text only'),
    await scoreClip(second, method(), 'text only'),
    await scoreClip(second, method(), 'one click'),
  ];
  const summaries = summariseClips(scores);
  expect(summaries.map(({ protocol, clips: count, j }) => [protocol, count, j])).toEqual([
    ['text only', 2, 75],
    ['one click', 1, 100],
  ]);
  expect(markdownTable(clipTable([{ name: 'discs', summaries }]))).toMatch(/discs +\| text only +\| ours +\| 2 +\| 2 +\| 75/);
});

describe('sequences of a dataset', () => {
  const sample = (id: string, group: string): Sample => {
    const mask = maskOfDisc(bright(20, 20));
    const image = { width: 96, height: 64, data: new Uint8Array(96 * 64 * 3).fill(Number(/\d+$/.exec(id)?.[0])) };
    const boxXyxyPx = boxOfMask(mask) as NonNullable<ReturnType<typeof boxOfMask>>;
    return { id, group, dataset: 'd', image, objects: [{ phrase: 'bright', boxXyxyPx, mask }], phrases: ['bright'] };
  };
  const dataset = (ids: readonly (readonly [string, string])[]): Dataset => ({
    name: 'd',
    size: ids.length,
    load: async (index) => sample(...(ids[index] as readonly [string, string])),
    source: (index) => ({ id: ids[index]?.[0] as string, group: ids[index]?.[1], files: [], annotation: '' }),
  });
  const numbered = (name: string, group: string, count: number) =>
    Array.from({ length: count }, (_, i) => [`${name}_${3 * (count - i)}`, group] as const);

  it('are frames of one name and group in the order of their numbers, ten or more', async () => {
    const clips = await sequencesOf(dataset([...numbered('a', 'g', 12), ...numbered('b', 'g', 9), ...numbered('a', 'h', 10)]));
    expect(clips.map(({ clip }) => [clip.name, clip.frames])).toEqual([
      ['a', 12],
      ['a', 10],
    ]);
    const [first] = clips;
    const greys = await Promise.all([0, 1, 11].map(async (i) => (await first?.clip.frame(i))?.data[0]));
    expect(greys).toEqual([3, 6, 36]);
    expect(await first?.truth(4)).toHaveLength(1);
  });

  it('are false negatives where there are none', () =>
    expectError(sequencesOf(dataset(numbered('a', 'g', 9))), { code: 'E_NO_IMAGES', where: 'd', what: '10' }));
});

function boxes() {
  const masker = new GreyMasker();
  return {
    setImage: masker.setImage.bind(masker),
    predictBoxes: async (own: Parameters<Segmenter['masker']['predictBoxes']>[0]) =>
      (await masker.predict({ boxes: own })).map(({ masks: [mask] }) => mask as NonNullable<typeof mask>),
    dispose: () => {},
  };
}
