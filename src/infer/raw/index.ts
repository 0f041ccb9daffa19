/** One forward pass of a model, as `sonoground forward` writes it. */

export { rawForward } from './raw-forward.js';
