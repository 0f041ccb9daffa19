export { type DemoConfig, demoSchema, resultOf, trainingOf } from './config.js';
export { type DemoMetrics, type DemoOptions, type DemoResult, type DemoStage, runDemo } from './run-demo.js';
