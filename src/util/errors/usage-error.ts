import { SonogroundError } from './sonoground-error.js';

/** A command line that cannot be understood. */
export class UsageError extends SonogroundError {}
