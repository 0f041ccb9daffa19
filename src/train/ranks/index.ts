/** Training as several processes, connected by MPI, that share each batch. */

export { connect, type Mpi } from './mpi.js';
export { asAgreed, isAgreed, onRoot, Ranks } from './ranks.js';
export { requireEnoughImages } from './require-enough-images.js';
export { assertSameStart } from './same-start.js';
export { haveSameArrays, shareArrays } from './share-arrays.js';
export { sumGradients } from './sum-gradients.js';
