import { fileURLToPath } from 'node:url';
import { commandGroups, commands } from './commands.js';
import { main, report } from './main.js';

/** Exit code when the reader closed the output: 128 and the number of SIGPIPE. */
const CLOSED = 141;

// Labels use a bundled font; without system fonts, fontconfig would print warnings to standard error.
process.env['FONTCONFIG_FILE'] ??= fileURLToPath(new URL('../../assets/fonts/fonts.conf', import.meta.url));

process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' && error.syscall === 'write' ? CLOSED : report(error));
});

const code = await main(process.argv.slice(2), commands, commandGroups);
if (code !== 0) process.exitCode = code;
