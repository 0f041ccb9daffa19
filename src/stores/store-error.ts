import { type CodeOf, type ErrorParts, SonogroundError } from '../util/index.js';

/** A store that cannot be read at all: not reached, not set up, or refusing these credentials. */
export class StoreError extends SonogroundError {
  declare readonly code: CodeOf<'StoreError'>;

  constructor(parts: ErrorParts<CodeOf<'StoreError'>>) {
    super(parts);
  }
}
