import type { EvaluateRunOptions, Stage } from '../../workflows/index.js';
import { type Progress, startProgress } from '../progress.js';

const STAGES: Readonly<Record<Stage, string>> = {
  reading: 'reading',
  images: 'images',
  calibration: 'calibration',
  timing: 'methods timed',
  gallery: 'page',
};

/** A progress bar per stage. */
export function startStageProgress(): { onProgress: NonNullable<EvaluateRunOptions['onProgress']>; stop: () => void } {
  let current: { stage: Stage; bar: Progress } | undefined;
  return {
    onProgress: (stage, done, total) => {
      if (current?.stage !== stage) {
        current?.bar.stop();
        current = { stage, bar: startProgress(STAGES[stage]) };
      }
      current.bar.update(done, total);
    },
    stop: () => current?.bar.stop(),
  };
}
