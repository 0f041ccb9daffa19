import type { Clip } from '../imaging/index.js';
import { UsageError } from '../util/index.js';
import type { ClipTracker } from './clip-tracker.js';

/** See {@link ClipTracker.propagate}. */
export type PropagateOptions = NonNullable<Parameters<ClipTracker['propagate']>[0]>;

/**
 * The frames that a propagation visits, in order.
 *
 * @param marked - frames on which objects are marked.
 * @throws UsageError when there is none, or an option is invalid.
 */
export function framesToTrack({ from, direction, frames }: PropagateOptions, marked: readonly number[], clip: Clip): number[] {
  if (marked.length === 0)
    throw new UsageError({
      code: 'E_PROMPT_INVALID',
      where: clip.name,
      what: 'no object is marked on any frame',
      fix: 'Prompt one first',
    });
  const backward = direction === 'backward';
  const start = from ?? (backward ? Math.max(...marked) : Math.min(...marked));
  checkFrame(start, clip);
  if (frames !== undefined && !(Number.isInteger(frames) && frames > 0))
    throw new UsageError({ code: 'E_OPTION_VALUE', where: 'propagate', what: `expected frames to be 1 or more, got ${frames}` });
  const count = Math.min(frames ?? clip.frames, backward ? start + 1 : clip.frames - start);
  return Array.from({ length: count }, (_, i) => (backward ? start - i : start + i));
}

/** @throws UsageError when a clip has no frame of this number. */
export function checkFrame(frame: number, { name, frames }: Clip): void {
  if (Number.isInteger(frame) && frame >= 0 && frame < frames) return;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: name,
    what: `there is no frame ${frame}: it has ${frames}, counted from 0`,
    fix: `Give a number from 0 to ${frames - 1}`,
  });
}
