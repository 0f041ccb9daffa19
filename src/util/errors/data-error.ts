import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** An unusable image, mask, annotation or dataset folder. */
export class DataError extends SonogroundError {
  declare readonly code: CodeOf<'DataError'>;

  constructor(parts: ErrorParts<CodeOf<'DataError'>>) {
    super(parts);
  }
}
