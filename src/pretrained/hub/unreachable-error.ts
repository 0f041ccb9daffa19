import { HubError } from './hub-error.js';

/** The hub does not respond: no network, a refused connection, or a timeout. */
export class UnreachableError extends HubError {}
