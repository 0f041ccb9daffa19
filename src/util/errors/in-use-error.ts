import { SonogroundError } from './sonoground-error.js';

/** A folder that another process works in. */
export class InUseError extends SonogroundError {}
