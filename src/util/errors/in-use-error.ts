import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** A folder in use by another process. */
export class InUseError extends SonogroundError {
  declare readonly code: CodeOf<'InUseError'>;

  constructor(parts: ErrorParts<CodeOf<'InUseError'>>) {
    super(parts);
  }
}
