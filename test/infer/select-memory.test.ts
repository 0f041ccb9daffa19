import { describe, expect, it } from '@jest/globals';
import { fillHoles, withoutOverlap } from '../../src/infer/sam2-video/clean-masks.js';
import { packLogits, unpackLogits } from '../../src/infer/sam2-video/pack-logits.js';
import { type SelectOptions, selectMemory } from '../../src/infer/sam2-video/select-memory.js';

/** A track marked on some frames and followed on others. */
function track(prompted: readonly number[], followed: readonly number[]) {
  return {
    prompted: new Map(prompted.map((frame) => [frame, {} as never])),
    reached: (frame: number) => followed.includes(frame),
  };
}

const options: SelectOptions = {
  frame: 10,
  backward: false,
  frames: 30,
  numMaskmem: 4,
  mostPrompted: undefined,
  mostPointers: 6,
};

describe('the memory of a frame', () => {
  it('holds marked frames, and those just before, the oldest first', () => {
    const { prompted, others } = selectMemory(track([0, 20], [5, 6, 7, 9]), options);
    expect(prompted).toEqual([0, 20]);
    expect(others).toEqual([
      { frame: 7, age: 3 },
      { frame: 9, age: 1 },
    ]);
  });

  it('holds pointers only of the past, of marked frames however long ago', () => {
    const { pointers } = selectMemory(track([0, 20], [4, 5, 9, 11]), options);
    expect(pointers).toEqual([
      { frame: 0, age: 10 },
      { frame: 9, age: 1 },
      { frame: 5, age: 5 },
    ]);
  });

  it('looks the other way when time runs backwards', () => {
    const { others, pointers } = selectMemory(track([20, 3], [11, 13, 14]), { ...options, backward: true });
    expect(others.map(({ frame }) => frame)).toEqual([13, 11]);
    expect(pointers.map(({ frame, age }) => [frame, age])).toEqual([
      [20, 10],
      [11, 1],
      [13, 3],
      [14, 4],
    ]);
  });

  it('takes the closest marked frames on either side first; one in the window that is not taken counts as followed', () => {
    const marked = track([0, 8, 9, 25, 12], [7]);
    const { prompted, others, pointers } = selectMemory(marked, { ...options, mostPrompted: 2 });
    expect(prompted).toEqual([9, 12]);
    expect(others.map(({ frame }) => frame)).toEqual([7, 8]);
    expect(pointers.map(({ frame }) => frame)).toEqual([9, 8, 7]);
  });

  it('does not hold the frame itself, whose mark is corrected', () => {
    expect(selectMemory(track([0, 10], []), options).prompted).toEqual([0]);
  });

  it('ends at both ends of the clip', () => {
    expect(selectMemory(track([0], [0, 1]), { ...options, frame: 1 }).others.map(({ frame }) => frame)).toEqual([0]);
    const last = { ...options, frame: 29, backward: true };
    expect(selectMemory(track([0], [30, 31]), last).others).toEqual([]);
  });
});

describe('packed logits', () => {
  it('come back near the outline to a fiftieth, elsewhere to a twentieth of their value', async () => {
    const logits = Float32Array.from({ length: 4096 }, (_, i) => Math.sinh((i - 2048) / 500) / 2);
    const back = await unpackLogits(await packLogits(logits));
    const wrong = [...logits].filter((x, i) => Math.abs((back[i] as number) - x) > 0.022 + 0.022 * Math.abs(x));
    expect(wrong).toEqual([]);
    expect([...logits].every((x, i) => Math.abs(x) < 0.03 || Math.sign(x) === Math.sign(back[i] as number))).toBe(true);
  });

  it('of a mask take a small part of what they were, and are limited', async () => {
    const disc = Float32Array.from(
      { length: 256 * 256 },
      (_, i) => 2 * (60 - Math.hypot((i % 256) - 128, Math.floor(i / 256) - 120)),
    );
    expect((await packLogits(disc)).length).toBeLessThan(256 * 256 * 4 * 0.06);
    const [hidden] = await unpackLogits(await packLogits(new Float32Array(4).fill(-1024)));
    expect(hidden).toBeCloseTo(-32, -1);
  });
});

describe('answers', () => {
  const map = (...rows: number[][]) => ({
    width: rows[0]?.length ?? 0,
    height: rows.length,
    data: Float32Array.from(rows.flat()),
  });

  it('lose holes up to an area, and keep larger ones and what is outside', () => {
    const mask = map([-1, 2, 2, 2, 2], [-1, 2, -3, 2, 2], [-1, 2, 2, 2, -2], [-1, 2, 2, 2, -2]);
    expect([...fillHoles(mask, 1).data]).toEqual([
      ...map([-1, 2, 2, 2, 2], [-1, 2, Math.fround(0.1), 2, 2], [-1, 2, 2, 2, -2], [-1, 2, 2, 2, -2]).data,
    ]);
    expect([...fillHoles(mask, 2).data].filter((value) => value < 0)).toEqual([-1, -1, -1, -1]);
  });

  it('of several objects share no pixel', () => {
    const [one, two] = withoutOverlap([map([3, 1, -1, 2]), map([1, 2, -2, 2])]);
    expect([...(one?.data ?? [])]).toEqual([3, -10, -1, 2]);
    expect([...(two?.data ?? [])]).toEqual([-10, 2, -10, -10]);
  });
});
