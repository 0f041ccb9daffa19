import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { startProgress } from '../../src/cli/progress.js';

let lines: string[] = [];
const { isTTY } = process.stderr;
beforeEach(() => {
  lines = [];
  process.stderr.isTTY = false; // a terminal gets a bar
  jest.useFakeTimers();
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  process.stderr.isTTY = isTTY;
});

/** One update after each number of seconds. */
function updates(seconds: readonly number[], from = 0, total = 100): string[] {
  const progress = startProgress('training');
  seconds.forEach((wait, i) => {
    jest.advanceTimersByTime(1000 * wait);
    progress.update(from + i + 1, total);
  });
  return lines.map((line) => line.trim());
}

it('estimates the remaining time by the pace of the steps, not of what comes before the first', () => {
  expect(updates([300, 10, 10])).toEqual([
    'training 1/100',
    'training 2/100, 16 min 20 s left',
    'training 3/100, 16 min 10 s left',
  ]);
});

it('estimates it of a resumed run by the steps since', () => {
  expect(updates([60, 20], 89)).toEqual(['training 90/100', 'training 91/100, 3 min 0 s left']);
});

it('follows a pace that has changed', () => {
  const pace = [...Array<number>(50).fill(2), ...Array<number>(50).fill(10)];
  expect(updates(pace, 0, 200).at(-1)).toBe('training 100/200, 16 min 40 s left');
});

it('prints the last update without a rest', () => {
  expect(updates([1, 1, 1], 0, 3)).toEqual(['training 3/3']);
});
