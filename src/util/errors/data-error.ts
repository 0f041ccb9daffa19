import { SonogroundError } from './sonoground-error.js';

/** An image, mask, annotation or dataset folder that cannot be used. */
export class DataError extends SonogroundError {}
