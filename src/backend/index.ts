export { type BackendName, backendNames, initBackend } from './select.js';
export { tf } from './tf.js';
