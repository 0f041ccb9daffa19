import { type CodeOf, SonogroundError } from '../util/index.js';

/** Thrown when training was stopped on request, after writing a checkpoint. */
export class TrainingStopped extends SonogroundError {
  declare readonly code: CodeOf<'TrainingStopped'>;

  constructor(dir: string, step: number) {
    super({
      code: 'E_TRAINING_STOPPED',
      where: dir,
      what: `stopped after step ${step}, as asked; the checkpoint is written`,
      fix: 'Go on with the same command and --resume',
    });
  }
}
