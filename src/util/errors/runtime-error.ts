import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** The machine, the backend or the installation is not able to do what was asked. */
export class RuntimeError extends SonogroundError {
  declare readonly code: CodeOf<'RuntimeError'>;

  constructor(parts: ErrorParts<CodeOf<'RuntimeError'>>) {
    super(parts);
  }
}
