export { Accumulator, type MicroGradients, shares } from './accumulate.js';
export { AdamW, type AdamWOptions, type ParameterGroup } from './adamw.js';
export { clipScale, GlobalNorm } from './clip.js';
export { Ema } from './ema.js';
export { type GroupRule, groupParameters } from './groups.js';
export { learningRateAt, type Schedule } from './schedule.js';
