import { HubError } from './hub-error.js';

/** Nothing answers at the hub's address: no network, a refused connection, silence. */
export class UnreachableError extends HubError {}
