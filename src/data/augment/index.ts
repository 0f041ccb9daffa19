/** Augmentation: random changes of training images and their masks. */

export { type AugmentChoice, augment } from './augment.js';
export type { Augmentations } from './augmentations.js';
export { BackgroundDataset, cutBackground } from './background.js';
export { movedStill } from './moved-still.js';
export { PasteDataset, pasteObject } from './paste.js';
