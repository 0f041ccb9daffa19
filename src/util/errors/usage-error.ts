import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** An invalid command line. */
export class UsageError extends SonogroundError {
  declare readonly code: CodeOf<'UsageError'>;

  constructor(parts: ErrorParts<CodeOf<'UsageError'>>) {
    super(parts);
  }
}
