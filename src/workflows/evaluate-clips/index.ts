export { CLIP_PHANTOMS, openClipSets } from './clip-sets.js';
export { evaluateClips } from './evaluate-clips.js';
