import { commandGroups, commands } from './commands.js';
import { main, report } from './main.js';

process.on('uncaughtException', (error) => process.exit(report(error)));

const code = await main(process.argv.slice(2), commands, commandGroups);
if (code !== 0) process.exitCode = code;
