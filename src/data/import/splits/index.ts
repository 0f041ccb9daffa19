/** Dividing images into splits. */

export { splitGroups, splitRows, TRAIN_AND_VAL } from './split.js';
export { readSplitFile, splitText, withSplits } from './split-file.js';
