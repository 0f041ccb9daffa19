import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** A weight file that does not fit the model or is damaged. */
export class CheckpointError extends SonogroundError {
  declare readonly code: CodeOf<'CheckpointError'>;

  constructor(parts: ErrorParts<CodeOf<'CheckpointError'>>) {
    super(parts);
  }
}
