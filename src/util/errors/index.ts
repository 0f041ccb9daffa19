export { CheckpointError } from './checkpoint-error.js';
export type { CodeOf, ErrorClass, ErrorCode } from './codes.js';
export { ConfigError } from './config-error.js';
export { DataError } from './data-error.js';
export { InUseError } from './in-use-error.js';
export { RuntimeError } from './runtime-error.js';
export { packError, type SentError, unpackError } from './sent-error.js';
export { type ErrorParts, SonogroundError } from './sonoground-error.js';
export { UsageError } from './usage-error.js';
