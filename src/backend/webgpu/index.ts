export { hasGraphicsDevice, listAdapters } from './adapters.js';
export type { AdapterReport } from './describe-adapter.js';
export { adapterInUse, isDeviceLost } from './device.js';
export { registerWebgpu } from './register.js';
