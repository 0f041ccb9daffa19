import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { evalCommand } from './eval.js';
import { forwardCommand } from './forward.js';
import { inferCommand } from './infer.js';
import { main, report } from './main.js';
import { trainCommand } from './train.js';

process.on('uncaughtException', (error) => process.exit(report(error)));

const code = await main(process.argv.slice(2), [
  demoCommand,
  doctorCommand,
  trainCommand,
  evalCommand,
  inferCommand,
  forwardCommand,
] as never);
if (code !== 0) process.exitCode = code;
