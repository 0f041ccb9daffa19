import { SonogroundError } from '../../util/index.js';

/** A download that cannot be had, or a model that is not in the cache. */
export class HubError extends SonogroundError {}
