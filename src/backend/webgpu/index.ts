export { type AdapterReport, listAdapters } from './adapters.js';
export { adapterInUse, registerWebgpu } from './register.js';
