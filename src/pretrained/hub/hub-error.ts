import { type CodeOf, type ErrorParts, SonogroundError } from '../../util/index.js';

/** A failed download, or a model that is not in the cache. */
export class HubError extends SonogroundError {
  declare readonly code: CodeOf<'HubError'>;

  constructor(parts: ErrorParts<CodeOf<'HubError'>>) {
    super(parts);
  }
}

/** The hub does not respond: no network, a refused connection, or a timeout. */
export class UnreachableError extends HubError {}
