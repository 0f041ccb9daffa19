export { type DemoConfig, demoSchema, resultOf, trainingOf } from './config.js';
export { type DemoOptions, type DemoResult, type DemoStage, runDemo } from './run-demo.js';
export type { DemoMetrics } from './tables.js';
