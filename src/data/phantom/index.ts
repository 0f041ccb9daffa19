export { type PhantomDomain, phantomDomains } from './domains.js';
export { generatePhantom, PhantomDataset, type PhantomDatasetOptions, type PhantomOptions } from './phantom.js';
export type { Range } from './structures.js';
export { type StructureKind, type StructureName, structureKinds } from './structures.js';
