/** What can be trained: the loss of a model over samples, and its gradients. */

export { DetectorTask } from './detector-task.js';
export { ExemplarTask } from './exemplar-task.js';
export { MaskerTask } from './masker-task.js';
export { MemoryTask } from './memory-task.js';
export { withNegatives } from './negatives.js';
export { SupportPool } from './support-pool.js';
export type { LossReport, TrainTask } from './task.js';
export { withWordings } from './wordings.js';
