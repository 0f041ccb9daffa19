export { isLoopback, tokenFor } from './access.js';
export { type Engine, type EngineFacts, type EngineOptions, LocalEngine, ProcessEngine } from './engine/index.js';
export { HttpError } from './http-error.js';
export { defaultLimits, type ServeLimits } from './limits.js';
export { createServer, type ServerOptions } from './server.js';
