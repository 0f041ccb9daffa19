import { fileURLToPath } from 'node:url';
import { commands } from './commands.js';
import { main, report } from './main.js';

// Labels come with a font; where a machine has none, fontconfig would complain on standard error.
process.env['FONTCONFIG_FILE'] ??= fileURLToPath(new URL('../../assets/fonts/fonts.conf', import.meta.url));

process.on('uncaughtException', (error) => process.exit(report(error)));

const code = await main(process.argv.slice(2), commands);
if (code !== 0) process.exitCode = code;
