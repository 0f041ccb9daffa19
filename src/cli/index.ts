import { fileURLToPath } from 'node:url';
import { loadCommands } from './load-commands.js';
import { main, report } from './main.js';

/** Exit code when the reader closed the output: 128 and the number of SIGPIPE. */
const CLOSED = 141;

// Labels use a bundled font; without system fonts, fontconfig would print warnings to standard error.
process.env['FONTCONFIG_FILE'] ??= fileURLToPath(new URL('../../assets/fonts/fonts.conf', import.meta.url));

process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' && error.syscall === 'write' ? CLOSED : report(error));
});

const argv = process.argv.slice(2);
const { commands, groups } = await loadCommands(argv[0]);
const code = await main(argv, commands, groups);
if (code !== 0) process.exitCode = code;
