export { type PhantomDomain, phantomDomains } from './domains.js';
export { generatePhantom, PhantomDataset, type PhantomDatasetOptions } from './phantom.js';
export type { Range } from './structures.js';
export { type StructureName, structureKinds } from './structures.js';
