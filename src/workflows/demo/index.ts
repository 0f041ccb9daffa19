export { type DemoConfig, demoSchema, trainingOf } from './config.js';
export { type DemoResult, type DemoStage, runDemo } from './run-demo.js';
export type { DemoMetrics } from './tables.js';
