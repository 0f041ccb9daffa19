export { Accumulator, divided, shares } from './accumulate.js';
export { AdamW } from './adamw.js';
export { clipScale, GlobalNorm } from './clip.js';
export { Ema } from './ema.js';
export { FlatView } from './flat.js';
export { groupParameters } from './groups.js';
export { learningRateAt, type Schedule } from './schedule.js';
