import { type CodeOf, type ErrorParts, SonogroundError } from '../util/index.js';

/** An archive that cannot be used at all: not reached, refusing these credentials, or refusing to store. */
export class DicomWebError extends SonogroundError {
  declare readonly code: CodeOf<'DicomWebError'>;

  constructor(parts: ErrorParts<CodeOf<'DicomWebError'>>) {
    super(parts);
  }
}
