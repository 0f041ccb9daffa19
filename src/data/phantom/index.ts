export { type PhantomDomain, phantomDomains } from './domains.js';
export { generatePhantom, PhantomDataset, type PhantomDatasetOptions } from './phantom.js';
export { type ClipObject, generatePhantomClip, type PhantomClip, type PhantomClipOptions } from './phantom-clip.js';
export { PhantomClipDataset } from './phantom-clips.js';
export type { Range } from './structures.js';
export { type StructureName, structureKinds } from './structures.js';
