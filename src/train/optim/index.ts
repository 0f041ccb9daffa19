export { AdamW, type AdamWOptions, type ParameterGroup } from './adamw.js';
export { clipByGlobalNorm } from './clip.js';
export { Ema } from './ema.js';
export { learningRateAt, type Schedule } from './schedule.js';
