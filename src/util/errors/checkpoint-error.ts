import { SonogroundError } from './sonoground-error.js';

/** A weight file that does not fit the model or is damaged. */
export class CheckpointError extends SonogroundError {}
