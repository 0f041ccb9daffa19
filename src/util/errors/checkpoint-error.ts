import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** A weight file that is damaged or does not fit the model. */
export class CheckpointError extends SonogroundError {
  declare readonly code: CodeOf<'CheckpointError'>;

  constructor(parts: ErrorParts<CodeOf<'CheckpointError'>>) {
    super(parts);
  }
}
