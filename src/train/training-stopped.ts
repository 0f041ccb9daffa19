import { SonogroundError } from '../util/index.js';

/** Training was asked to stop, and has written a checkpoint. */
export class TrainingStopped extends SonogroundError {
  constructor(dir: string, step: number) {
    super({
      where: dir,
      what: `stopped after step ${step}, as asked; the checkpoint is written`,
      fix: 'Go on with the same command and --resume',
    });
  }
}
