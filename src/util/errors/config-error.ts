import type { CodeOf } from './codes.js';
import { type ErrorParts, SonogroundError } from './sonoground-error.js';

/** An invalid configuration: unknown key, wrong type, impossible combination. */
export class ConfigError extends SonogroundError {
  declare readonly code: CodeOf<'ConfigError'>;

  constructor(parts: ErrorParts<CodeOf<'ConfigError'>>) {
    super(parts);
  }
}
