export { type BackendReport, describeBackend } from './describe.js';
export { type BackendName, backendNames, initBackend } from './select.js';
export { tf } from './tf.js';
