export { type AdapterReport, listAdapters } from './adapters.js';
export { registerWebgpu } from './register.js';
