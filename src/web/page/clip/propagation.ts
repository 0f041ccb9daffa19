import type { Direction } from '../../../infer/index.js';
import { counted } from '../../../util/counted.js';
import { type ClipActions, isGone } from './open-clip.js';

/** Follows all objects of a clip from frame to frame; the bar fills while it runs. */
export class Propagation {
  private readonly actions: ClipActions;
  /** Counts propagations. */
  private runs = 0;

  constructor(actions: ClipActions) {
    this.actions = actions;
  }

  /** Follows the objects from the current frame on. */
  async run(direction: Direction): Promise<void> {
    const { actions } = this;
    const { view, tasks, frame: from } = actions;
    await actions.work('Following', async (clip, signal) => {
      let [done, total, last] = [0, 0, from];
      this.runs += 1;
      const run = this.runs;
      view.showProgress(undefined);
      try {
        for await (const part of actions.engine().propagate(clip.opened, from, direction, signal)) {
          if (part.kind === 'begun') {
            total = part.frames;
            clip.state.begin(part.undo);
          } else {
            clip.state.put(part.frame);
            if (actions.current === clip) actions.refresh();
            done += 1;
            last = part.frame.frame;
          }
          view.showProgress(total === 0 ? 0 : done / total);
          tasks.say(`Following: ${done} of ${total} frames`);
        }
      } catch (error) {
        if (done === 0 || signal.aborted || isGone(error)) throw error;
        throw new Error(`${(error as Error).message}. The ${done} frames to ${last} stay`);
      } finally {
        // Another one may be running by now.
        if (this.runs === run) view.showProgress(null);
        actions.refresh();
      }
      return `${counted(done, 'frame')} done, from ${from} to ${last}`;
    });
  }
}
