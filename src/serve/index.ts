/** The HTTP server. */

export { isLoopback, tokenFor } from './access.js';
export { parseOrigins } from './cors.js';
export { type AnswerOf, type Engine, type EngineFacts, type Job, LocalEngine, ProcessEngine } from './engine/index.js';
export { HttpError } from './http-error.js';
export { defaultLimits, type ServeLimits } from './limits.js';
export { createServer } from './server.js';
export type { ViewerFile, ViewerImages } from './viewers/index.js';
