import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** An image, mask, annotation or dataset folder that cannot be used. */
export class DataError extends SonogroundError {
  declare readonly code: CodeOf<'DataError'>;

  constructor(parts: ErrorParts<CodeOf<'DataError'>>) {
    super(parts);
  }
}
