import { SonogroundError } from './sonoground-error.js';

/** A configuration that cannot be used: unknown key, wrong type, impossible combination. */
export class ConfigError extends SonogroundError {}
