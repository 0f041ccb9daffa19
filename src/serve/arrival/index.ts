export { ArrivalRate } from './arrival-rate.js';
export { ByteBudget, type Share } from './byte-budget.js';
export { discardBody, guardBody, tooLarge } from './guard-body.js';
