import { describe, expect, it } from '@jest/globals';
import { type BoxXyxy, type Clip, maskArea } from '../../../src/imaging/index.js';
import {
  CarriedBoxes,
  type ClipSession,
  DetectionSession,
  type Direction,
  MemorySession,
  Segmenter,
  type SessionFrame,
} from '../../../src/infer/index.js';
import { type Disc, discClip, GREYS, GreyDetector, GreyMasker } from '../../support/discs.js';
import { expectError } from '../../support/expect-error.js';

const bright = (x: number, y: number, r = 8): Disc => ({ x, y, r, grey: GREYS['bright'] as number });
const dim = (x: number, y: number, r = 8): Disc => ({ x, y, r, grey: GREYS['dim'] as number });

class Masks extends GreyMasker {
  async predictBoxes(boxes: readonly BoxXyxy[]) {
    return (await this.predict({ boxes })).map(({ masks: [mask] }) => mask as NonNullable<typeof mask>);
  }
}

const KINDS: Readonly<Record<string, (clip: Clip, most?: number) => Promise<ClipSession>>> = {
  'with a memory': async (clip, most) =>
    new MemorySession(clip, await new CarriedBoxes(new GreyMasker()).track(clip), new GreyDetector(), most),
  'without one': async (clip, most) => new DetectionSession(clip, new Segmenter(new GreyDetector(), new Masks()), most),
};

async function carry(session: ClipSession, from: number, direction: Direction = 'forward'): Promise<SessionFrame[]> {
  const done: SessionFrame[] = [];
  for (const frame of session.plan({ from, direction })) done.push(await session.step(frame, direction));
  return done;
}

/** Two discs of a phrase that move apart, and one of another. */
const moving = (frames = 12, fails: readonly number[] = []) =>
  discClip(frames, (i) => [bright(20 + i, 20), bright(70 - i, 44), dim(48, 10, 5)], fails);

const seen = ({ segments }: SessionFrame) =>
  segments.filter(({ boxXyxyPx }) => boxXyxyPx !== undefined).map(({ track }) => track);

describe.each(Object.keys(KINDS))('work on a clip %s', (kind) => {
  const open = (clip: Clip, most?: number) => (KINDS[kind] as (typeof KINDS)[string])(clip, most);

  it('finds on any frame, and carries forward and backward under the same numbers', async () => {
    const session = await open(moving());
    const found = await session.find(5, ['bright']);
    expect(seen(found)).toEqual([1, 2]);
    const forward = await carry(session, 5);
    const backward = await carry(session, 5, 'backward');
    expect(forward.map(({ frame }) => frame)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(backward.map(({ frame }) => frame)).toEqual([5, 4, 3, 2, 1, 0]);
    for (const { frame, segments } of [...forward, ...backward]) {
      const [left, , right] = segments.find(({ track }) => track === 1)?.boxXyxyPx ?? [];
      expect(((left as number) + (right as number)) / 2).toBeCloseTo(20.5 + frame, 0);
    }
  });

  it('does not find again what it has in sight, and finds what another phrase names beside it', async () => {
    const session = await open(moving());
    await session.find(0, ['bright']);
    await carry(session, 0);
    const again = await session.find(6, ['bright', 'dim']);
    expect(again.segments.filter(({ phrase }) => phrase === 'dim').map(({ track }) => track)).toEqual([3]);
    expect(Math.max(...again.segments.map(({ track }) => track))).toBe(3);
  });

  it('keeps a drawn mask on its frame', async () => {
    const session = await open(moving());
    await session.find(0, ['bright']);
    const drawn = await session.mark({ frame: 4, track: 1, phrase: '', box: [43, 5, 53, 15] });
    expect(drawn.segments[0]).toMatchObject({ track: 1, marked: true });
    const area = maskArea(drawn.segments[0]?.mask as never);
    const passed = (await carry(session, 0)).find(({ frame }) => frame === 4);
    const own = passed?.segments.find(({ track }) => track === 1);
    expect(own?.marked).toBe(true);
    expect(maskArea(own?.mask as never)).toBe(area);
  });

  it('goes back to what it knew', async () => {
    const session = await open(moving());
    await session.find(0, ['bright']);
    const state = await session.save();
    await session.mark({ frame: 0, phrase: 'mine', box: [43, 5, 53, 15] });
    session.remove(1);
    await session.restore(state);
    const [, next] = await carry(session, 0);
    expect(next && seen(next)).toEqual([1, 2]);
    const { segments } = await session.mark({ frame: 0, phrase: 'mine', box: [43, 5, 53, 15] });
    expect(segments[0]?.track).toBe(3);
  });

  it('stops at a frame that cannot be read, and what was done stays', async () => {
    const session = await open(moving(9, [6]));
    await session.find(0, ['bright']);
    const done: number[] = [];
    const run = async () => {
      for (const frame of session.plan({ from: 0, direction: 'forward' })) {
        await session.step(frame, 'forward');
        done.push(frame);
      }
    };
    await expect(run()).rejects.toThrow('frame 6');
    expect(done).toEqual([0, 1, 2, 3, 4, 5]);
    expect(seen(await session.step(5, 'forward'))).toEqual([1, 2]);
  });

  it('refuses frames and objects that are not there, and more objects than it follows', async () => {
    const session = await open(moving(5), 2);
    await session.find(0, ['bright']);
    const box: BoxXyxy = [43, 5, 53, 15];
    await expectError(
      Promise.resolve().then(() => session.plan({ from: 5, direction: 'forward' })),
      { code: 'E_OPTION_VALUE', what: /there is no frame 5: it has 5/ },
    );
    await expectError(session.mark({ frame: 0, track: 7, phrase: '', box }), {
      code: 'E_PROMPT_INVALID',
      what: 'there is no object 7',
    });
    await expectError(session.mark({ frame: 0, phrase: 'mine', box }), {
      code: 'E_PROMPT_INVALID',
      what: /there would be 3 objects, and 2 are followed at most/,
    });
    await expectError(session.find(0, ['dim']), { code: 'E_PROMPT_INVALID', what: /there would be 3 objects/ });
    expect(() => session.remove(9)).toThrow('there is no object 9');
  });
});

describe('work on a clip with nothing to carry', () => {
  it('says what is missing: an object, or without a memory a phrase', async () => {
    const [memory, detection] = (await Promise.all(Object.values(KINDS).map((open) => open(moving())))) as [
      ClipSession,
      ClipSession,
    ];
    expect(() => memory.plan({ from: 0, direction: 'forward' })).toThrow('no object is marked on any frame');
    await detection.mark({ frame: 0, phrase: 'mine', box: [43, 5, 53, 15] });
    expect(() => detection.plan({ from: 0, direction: 'forward' })).toThrow('no memory of other frames');
  });
});
