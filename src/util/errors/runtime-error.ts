import { SonogroundError } from './sonoground-error.js';

/** The machine, the backend or the installation is not able to do what was asked. */
export class RuntimeError extends SonogroundError {}
