export { type AdapterReport, hasGraphicsDevice, listAdapters } from './adapters.js';
export { adapterInUse, registerWebgpu } from './register.js';
