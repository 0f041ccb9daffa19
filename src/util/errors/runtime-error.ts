import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** A request that the machine, the backend or the installation cannot fulfil. */
export class RuntimeError extends SonogroundError {
  declare readonly code: CodeOf<'RuntimeError'>;

  constructor(parts: ErrorParts<CodeOf<'RuntimeError'>>) {
    super(parts);
  }
}
