export { ConnectionLost } from './connection-lost.js';
export { isLoopbackHost } from './is-loopback-host.js';
export { type RetryPace, TryAgain, withRetries } from './retry.js';
export { retryAfterMs } from './retry-after.js';
export { SilenceWatch } from './silence-watch.js';
