/** The objects of an image, from its masks and drawings. */

export { type Instance, paperInstances, strictInstances } from './instances.js';
