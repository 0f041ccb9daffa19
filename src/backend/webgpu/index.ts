export { type AdapterReport, hasGraphicsDevice, listAdapters } from './adapters.js';
export { adapterInUse, isDeviceLost, registerWebgpu } from './register.js';
